import { bodyBytes, loadProcess, withChild } from "../../scenario/scenario.ts";
import type { PeerBacklogInput } from "../load/backlog.ts";
import { names, type PeerScenario } from "./scenario.ts";

const prefix = "b";

function sizeOf(isQuick: boolean): { senders: number; messagesEach: number } {
  return isQuick ? { senders: 20, messagesEach: 50 } : { senders: 100, messagesEach: 200 };
}

export const backlog: PeerScenario = {
  name: "backlog",

  setup: (isQuick) => {
    const users = [`${prefix}r`, ...names(`${prefix}s`, sizeOf(isQuick).senders)];
    return { users, groups: [], connections: users.length, isIdle: false };
  },

  async measure(server, isQuick) {
    const { senders, messagesEach } = sizeOf(isQuick);
    const input: PeerBacklogInput = { endpoint: server.endpoint, prefix, senders, messagesEach, bodyBytes };
    await withChild(loadProcess(), async (load) => {
      await load.call("peerLeave", input);
      await load.call("peerFill", input);
    });
    // A process that has not written: what its runtime has learnt would be of use to the reader.
    const { ms, repeated } = await withChild(
      loadProcess(),
      async (load) => (await load.call<{ ms: number; repeated: number }>("peerDrain", input)).result,
    );
    return [
      {
        variant: `${senders * messagesEach} messages`,
        value: ms / 1000,
        unit: "s",
        better: "less",
        figures: { messages: senders * messagesEach, senders, repeated },
        note: `of ${senders} senders, ${bodyBytes} bytes; from connecting to everything received and acknowledged`,
      },
    ];
  },
};
