/** Users in pairs who chat at a modest, fixed rate, while something else happens to the server. */
import { Histogram, type Percentiles } from "../measure/histogram.ts";
import { type DirectInput, isComplete, Measure, repeatedOf, Sender } from "./direct.ts";
import { Pace } from "./pace.ts";
import { acknowledgeInTurn } from "./reader.ts";
import { Run } from "./run.ts";

export interface StayResult {
  readonly received: Percentiles;
  /** How late the generator itself was at worst, in milliseconds. */
  readonly lateMs: number;
}

interface Chat {
  readonly input: DirectInput;
  readonly run: Run;
  readonly measure: Measure;
  readonly senders: readonly Sender[];
  readonly pace: Pace;
  readonly acks: NodeJS.Timeout;
}

let chat: Chat | undefined;

function present(): Chat {
  if (chat === undefined) throw new Error("nobody chats");
  return chat;
}

/** Connects everybody and lets them write, from now on. */
export async function beginStay(input: DirectInput & { readonly rate: number }): Promise<void> {
  const run = new Run();
  const measure = new Measure();
  const senders = Array.from({ length: input.users }, (_, index) => new Sender(input, index, measure, run));
  await run.until("connecting", () => measure.readyCount === senders.length);
  const acks = acknowledgeInTurn(senders);
  chat = { input, run, measure, senders, acks, pace: new Pace(senders, input.rate) };
  await run.pause(input.warmMs);
}

/** From here on latencies are recorded, anew with each call. */
export async function recordStay(): Promise<void> {
  const { measure, pace, run } = present();
  await run.pause(0);
  measure.received = new Histogram();
  measure.isRecording = true;
  pace.lateMsMax = 0;
}

/** What was recorded since then. */
export async function recordedStay(): Promise<StayResult> {
  const { measure, pace, run } = present();
  await run.pause(0);
  measure.isRecording = false;
  return { received: measure.received.percentiles(), lateMs: pace.lateMsMax };
}

/** Fails where anything that was written has not arrived once, or was not acknowledged. */
export async function endStay(): Promise<void> {
  const { input, run, senders, pace, acks, measure } = present();
  measure.isSending = false;
  pace.stop();
  await run.until("storing and acknowledging everything", () =>
    senders.every((sender, index) => isComplete(sender, senders[index ^ 1])),
  );
  clearInterval(acks);
  run.end();
  repeatedOf(senders, input);
  for (const sender of senders) sender.connection.close();
  chat = undefined;
}
