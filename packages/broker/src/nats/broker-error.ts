/**
 * `misconfigured`: the options contradict each other, or a file that they name cannot be read. `unreachable`: nobody
 * answers there, or not as NATS, or without the right certificate. `refused`: NATS is there and does not let this
 * node in, or not to its subjects. `taken`: another node has the name of this one.
 */
export type BrokerErrorCode = "misconfigured" | "unreachable" | "refused" | "taken";

/** Why a broker could not be opened, in words for an operator. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
