/**
 * What the body of every message in a test says: where it came from. A body that turns up in another domain, in
 * another order or twice is recognised by it, whatever the encodings in between.
 */
export interface Marker {
  readonly domain: string;
  readonly user: string;
  readonly device: string;
  readonly conversation: string;
  /** Rises by one per device and conversation, in the order in which the application sent. */
  readonly number: number;
  /** Not 0: the same client message id with another body, which must be refused. */
  readonly variant: number;
}

const pattern = /\[\[([^/\]]+)\/([^/\]]+)\/([^/\]]+)\/([^/\]]+)\/(\d+)\/(\d+)\]\]/g;
const utf8 = new TextEncoder();

export function markerText(marker: Marker): string {
  const { domain, user, device, conversation, number, variant } = marker;
  return `[[${domain}/${user}/${device}/${conversation}/${number}/${variant}]]`;
}

/** A body of at least `bytes` bytes that says where it comes from. */
export function markedBody(marker: Marker, bytes: number): Uint8Array {
  return utf8.encode(markerText(marker).padEnd(bytes, "."));
}

/** Every marker that occurs in `bytes`. */
export function markersIn(bytes: Uint8Array): Marker[] {
  const found: Marker[] = [];
  for (const match of latin1(bytes).matchAll(pattern)) {
    const [, domain = "", user = "", device = "", conversation = "", number, variant] = match;
    found.push({ domain, user, device, conversation, number: Number(number), variant: Number(variant) });
  }
  return found;
}

export function markerIn(bytes: Uint8Array | undefined): Marker | undefined {
  return bytes === undefined ? undefined : markersIn(bytes)[0];
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
