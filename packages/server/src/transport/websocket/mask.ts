/** Removes the mask (RFC 6455, section 5.3) from `bytes[start, end)`; `phase` payload bytes came before. */
export function unmask(bytes: Uint8Array, start: number, end: number, mask: number, phase: number): void {
  copyUnmasked(bytes, start, end, bytes, start, mask, phase);
}

/** Writes `from[start, end)` without its mask to `to` at `at`. */
export function copyUnmasked(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
  mask: number,
  phase: number,
): void {
  const turned = phase === 0 ? mask : (mask << (8 * phase)) | (mask >>> (32 - 8 * phase));
  const m0 = turned >>> 24;
  const m1 = (turned >>> 16) & 0xff;
  const m2 = (turned >>> 8) & 0xff;
  const m3 = turned & 0xff;
  let source = start;
  let target = at;
  for (const last = end - 3; source < last; source += 4, target += 4) {
    to[target] = (from[source] as number) ^ m0;
    to[target + 1] = (from[source + 1] as number) ^ m1;
    to[target + 2] = (from[source + 2] as number) ^ m2;
    to[target + 3] = (from[source + 3] as number) ^ m3;
  }
  if (source < end) to[target++] = (from[source++] as number) ^ m0;
  if (source < end) to[target++] = (from[source++] as number) ^ m1;
  if (source < end) to[target] = (from[source] as number) ^ m2;
}
