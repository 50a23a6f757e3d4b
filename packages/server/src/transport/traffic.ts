/** What a listener has seen: running totals since its start, and how many connections there are now. */
export interface Traffic {
  connections: number;
  accepted: number;
  /** Handshakes and connections that were turned away. */
  refused: number;
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
}

export function noTraffic(): Traffic {
  return { connections: 0, accepted: 0, refused: 0, bytesIn: 0, bytesOut: 0, framesIn: 0, framesOut: 0 };
}
