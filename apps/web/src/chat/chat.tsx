import type { Conversation, ShownMessage } from "@hongyan/client";
import { useOnline, useView } from "@hongyan/client/react";
import { useCallback, useMemo, useState } from "react";
import { titleOf } from "../conversations/conversation-rows.ts";
import { GroupDetails } from "../group/group-details.tsx";
import { useNames } from "../names/use-names.ts";
import { useMedia } from "../page/browser-state.ts";
import { usePage } from "../page/page-context.ts";
import { route } from "../page/route.ts";
import { ReceiptsSheet } from "../receipts/receipts-sheet.tsx";
import { TimelineView } from "../timeline/timeline-view.tsx";
import { useTimeline } from "../timeline/use-timeline.ts";
import { ChatHeader } from "./chat-header.tsx";
import { Composer } from "./composer.tsx";
import { subtitleOf } from "./subtitle.ts";

/** What lies over the chat. */
type Overlay =
  | { readonly kind: "none" }
  | { readonly kind: "details" }
  | { readonly kind: "receipts"; readonly message: ShownMessage };

const none: Overlay = { kind: "none" };

/** One open conversation: joins header, timeline and composer to their view-models. Keyed by the conversation. */
export function Chat({ conversation }: { conversation: Conversation }) {
  const { drafts, strings } = usePage();
  const { conversation: id, kind, peer, role } = conversation;
  const [overlay, setOverlay] = useState<Overlay>(none);
  const closeOverlay = useCallback(() => setOverlay(none), []);
  const showReceipts = useCallback((message: ShownMessage) => setOverlay({ kind: "receipts", message }), []);

  const nameOf = useNames(useMemo(() => (peer === undefined ? [] : [peer]), [peer]));
  const title = titleOf(conversation, nameOf);
  const online = useOnline(peer);
  const timeline = useTimeline(conversation, title, showReceipts);
  const draft = useView(drafts).get(id) ?? "";
  const keyboard = useMedia("(pointer: fine)");

  return (
    <main className="chat">
      <ChatHeader
        snapshot={{
          title,
          avatarId: peer ?? id,
          kind,
          subtitle: subtitleOf(conversation, title, online, strings),
          details: kind === "group" && role !== "none",
        }}
        actions={{ back: route.close, showDetails: () => setOverlay({ kind: "details" }) }}
      />
      <TimelineView snapshot={timeline.snapshot} actions={timeline.actions} />
      {kind === "group" && role === "none" ? (
        <p className="composer-gone">{strings.composer.leftGroup}</p>
      ) : (
        <Composer
          snapshot={{ title, draft, focus: keyboard }}
          actions={{ write: (text) => drafts.set(id, text), send: timeline.send }}
        />
      )}
      {overlay.kind === "details" && <GroupDetails conversation={conversation} onClose={closeOverlay} />}
      {overlay.kind === "receipts" && <ReceiptsSheet message={overlay.message} onClose={closeOverlay} />}
    </main>
  );
}
