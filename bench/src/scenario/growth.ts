import { idleConnections } from "../growth/connections.ts";
import { conversationsOfUser } from "../growth/conversations.ts";
import { membersOfGroup } from "../growth/members.ts";
import { messagesStored } from "../growth/messages.ts";
import type { Row } from "../row.ts";
import type { Scenario } from "./scenario.ts";

export const growth: Scenario = {
  name: "growth",
  meaning:
    "the same work with more messages, members, conversations, connections: what must not grow, and its slope",
  onRequest: true,

  async run(effort, say) {
    const rows: Row[] = [];
    for (const axis of [messagesStored, membersOfGroup, conversationsOfUser, idleConnections]) {
      rows.push(...(await axis(effort, say)));
    }
    return rows;
  },
};
