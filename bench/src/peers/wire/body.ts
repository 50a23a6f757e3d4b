/** The bodies of all systems: digits that name the message, then filling. Text, because XMPP carries nothing else. */
const senderDigits = 5;
const numberDigits = 8;
/** A body is at least so long. */
export const bodyBytesMin = senderDigits + numberDigits;

export function newBody(sender: number, size: number): Buffer {
  const body = Buffer.alloc(Math.max(size, bodyBytesMin), "hongyan ");
  writeDigits(body, 0, sender, senderDigits);
  return body;
}

/** Makes it the n-th message of its sender. */
export function setNumber(body: Buffer, n: number): Buffer {
  writeDigits(body, senderDigits, n, numberDigits);
  return body;
}

export function senderOf(bytes: Buffer, at: number): number {
  return digitsAt(bytes, at, senderDigits);
}

export function numberOf(bytes: Buffer, at: number): number {
  return digitsAt(bytes, at + senderDigits, numberDigits);
}

export function writeDigits(out: Buffer, at: number, value: number, count: number): void {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    out[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

export function digitsAt(bytes: Buffer, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = (bytes[i] as number) - 48;
    if (digit < 0 || digit > 9)
      throw new Error(`not a body of the load: ${bytes.toString("latin1", at, at + count)}`);
    value = value * 10 + digit;
  }
  return value;
}
