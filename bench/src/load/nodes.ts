/** Where the clients of a generator connect to. */
export interface Nodes {
  readonly port: number;
  /** Ports of several nodes that clients are spread over, instead of `port`. */
  readonly ports?: readonly number[] | undefined;
}

export function portOf({ port, ports }: Nodes, index: number): number {
  return ports?.[index % ports.length] ?? port;
}

/** Of user `index` of those who write in pairs, 0 and 1, 2 and 3: partners meet over every pair of nodes as often. */
export function portInPairs(nodes: Nodes, index: number): number {
  const pair = Math.floor(index / 2);
  const isSecond = index % 2 === 1;
  return portOf(nodes, isSecond ? pair + Math.floor(pair / (nodes.ports?.length ?? 1)) : pair);
}
