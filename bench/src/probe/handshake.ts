import { decodeFrame } from "@hongyan/protocol";
import { encode } from "../wire/frame-bytes.ts";

/** Answers `connect` for a bare probe, which trusts everybody. */
export function answerConnect(
  bytes: Uint8Array,
  start: number,
  end: number,
): { device: string; reply: Uint8Array } {
  const { frame } = decodeFrame(bytes, start, end);
  if (frame.type !== "connect") throw new Error(`a bare probe does not know ${frame.type}`);
  const reply = encode({
    type: "connect.ok",
    id: frame.id,
    session: "probe",
    node: "probe",
    epoch: "probe",
    domain: "probe",
    user: frame.device,
    resumed: false,
    behind: false,
    heartbeatMs: 600_000,
    time: Date.now(),
    bodyBytesMax: 65_536,
  });
  return { device: frame.device, reply };
}
