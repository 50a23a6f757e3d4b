import type { SendFailure } from "@hongyan/client";

/** Refusals of the message itself: the same message is refused again. Others are over when the circumstances change. */
const ofTheMessage: ReadonlySet<string> = new Set(["too_large", "bad_request"]);

/** Whether the same message may be accepted when it is sent once more. */
export function canWorkAgain(failure: SendFailure | undefined): boolean {
  return failure === undefined || !ofTheMessage.has(failure.code);
}
