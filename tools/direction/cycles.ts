/** One cycle of each strongly connected part of a graph, its first node repeated at its end. */
export function findCycles(edges: ReadonlyMap<string, ReadonlyMap<string, unknown>>): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const start of edges.keys()) {
    if (done.has(start)) continue;
    const path: string[] = [];
    const onPath = new Set<string>();
    const visit = (node: string): void => {
      path.push(node);
      onPath.add(node);
      for (const next of edges.get(node)?.keys() ?? []) {
        if (onPath.has(next)) cycles.push([...path.slice(path.indexOf(next)), next]);
        else if (!done.has(next)) visit(next);
      }
      path.pop();
      onPath.delete(node);
      done.add(node);
    };
    visit(start);
  }
  return cycles;
}
