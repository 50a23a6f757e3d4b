import type { ShownMessage } from "@hongyan/client";
import { useMembers, useReceipts } from "@hongyan/client/react";
import { useMemo } from "react";
import { useNames } from "../names/use-names.ts";
import { usePage } from "../page/page-context.ts";
import { Sheet } from "../parts/sheet.tsx";
import { PersonLine } from "../people/person-line.tsx";
import { receiptGroups } from "./receipt-groups.ts";

/** Who has received and who has read one message of a group. */
export function ReceiptsSheet({ message, onClose }: { message: ShownMessage; onClose: () => void }) {
  const { strings, user } = usePage();
  const { members, loaded } = useMembers(message.conversation);
  const receipts = useReceipts(message.conversation);
  const groups = useMemo(
    () => receiptGroups(message.seq, members, receipts.receipts, user),
    [message.seq, members, receipts.receipts, user],
  );
  const nameOf = useNames(useMemo(() => members.map((member) => member.user), [members]));
  const sections = [
    { title: strings.receipts.read(groups.read.length), users: groups.read, kind: "read" },
    {
      title: strings.receipts.delivered(groups.delivered.length),
      users: groups.delivered,
      kind: "delivered",
    },
    { title: strings.receipts.waiting(groups.waiting.length), users: groups.waiting, kind: "waiting" },
  ].filter((section) => section.users.length > 0);
  return (
    <Sheet title={strings.receipts.title} fits onClose={onClose}>
      <div className="sheet-scroll">
        {!loaded || !receipts.loaded ? (
          <p className="empty" role="status">
            <span className="spinner" />
          </p>
        ) : (
          sections.length === 0 && <p className="empty">{strings.receipts.nobody}</p>
        )}
        {loaded &&
          receipts.loaded &&
          sections.map((section) => (
            <section key={section.kind} className="people-section" data-receipt={section.kind}>
              <h3>{section.title}</h3>
              <ul>
                {section.users.map((member) => (
                  <PersonLine key={member} user={member} name={nameOf(member)} />
                ))}
              </ul>
            </section>
          ))}
      </div>
    </Sheet>
  );
}
