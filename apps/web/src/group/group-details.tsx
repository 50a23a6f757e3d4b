import type { Conversation, Member } from "@hongyan/client";
import { useState } from "react";
import { usePage } from "../page/page-context.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { PersonLine } from "../people/person-line.tsx";
import { AddPeople } from "./add-people.tsx";
import { type GroupDetailsModel, useGroupDetails } from "./use-group-details.ts";

type Step =
  | { readonly kind: "details" | "add" | "rename" | "leave" }
  | { readonly kind: "remove"; readonly user: string };

const details: Step = { kind: "details" };

export function GroupDetails({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { strings } = usePage();
  const model = useGroupDetails(conversation);
  const [step, setStep] = useState<Step>(details);
  const name = conversation.name ?? conversation.conversation;
  if (step.kind === "add") {
    return (
      <AddPeople
        members={model.members.map((member) => member.user)}
        add={model.add}
        onClose={() => setStep(details)}
      />
    );
  }
  return (
    <Sheet title={strings.group.title} place="side" onClose={onClose}>
      <div className="sheet-scroll">
        <div className="group-head">
          <Avatar id={conversation.conversation} name={name} kind="group" size="huge" />
          {step.kind === "rename" ? (
            <RenameForm name={name} model={model} onDone={() => setStep(details)} />
          ) : (
            <p className="group-name">
              <bdi>{name}</bdi>
              {model.manages && (
                <button
                  type="button"
                  className="icon-button"
                  data-tiny=""
                  aria-label={strings.group.rename}
                  title={strings.group.rename}
                  onClick={() => setStep({ kind: "rename" })}
                >
                  <Icon name="edit" size={16} />
                </button>
              )}
            </p>
          )}
        </div>
        {model.failure !== undefined && (
          <p className="form-failure" role="alert">
            {model.failure}
          </p>
        )}
        <section className="people-section">
          <h3>{strings.group.membersTitle(model.loaded ? model.members.length : conversation.members)}</h3>
          {model.manages && (
            <button type="button" className="person action" onClick={() => setStep({ kind: "add" })}>
              <span className="avatar" data-size="small" data-plain="">
                <Icon name="add" size={20} />
              </span>
              <span className="person-name">{strings.group.add}</span>
            </button>
          )}
          <ul>
            {model.members.map((member) => (
              <MemberLine
                key={member.user}
                member={member}
                model={model}
                onRemove={() => setStep({ kind: "remove", user: member.user })}
                onClose={onClose}
              />
            ))}
          </ul>
        </section>
      </div>
      <footer className="sheet-footer">
        {step.kind === "leave" ? (
          <Confirm
            question={strings.group.leaveSure(name)}
            label={strings.group.leave}
            onCancel={() => setStep(details)}
            onConfirm={async () => {
              if (await model.leave()) onClose();
            }}
          />
        ) : step.kind === "remove" ? (
          <Confirm
            question={strings.group.removeSure(model.nameOf(step.user))}
            label={strings.group.removeSubmit}
            onCancel={() => setStep(details)}
            onConfirm={() => {
              setStep(details);
              void model.remove(step.user);
            }}
          />
        ) : (
          <button
            type="button"
            className="text-button"
            data-danger=""
            onClick={() => setStep({ kind: "leave" })}
          >
            <Icon name="leave" size={18} /> {strings.group.leave}
          </button>
        )}
      </footer>
    </Sheet>
  );
}

/** A question before what cannot be taken back by oneself. */
function Confirm({
  question,
  label,
  onCancel,
  onConfirm,
}: {
  question: string;
  label: string;
  onCancel: () => void;
  onConfirm: () => void;
}) {
  const { strings } = usePage();
  return (
    <div className="confirm" role="alertdialog" aria-label={label}>
      <p>{question}</p>
      <button type="button" className="button" data-quiet="" onClick={onCancel}>
        {strings.cancel}
      </button>
      <button type="button" className="button" data-danger="" onClick={onConfirm}>
        {label}
      </button>
    </div>
  );
}

function MemberLine({
  member,
  model,
  onRemove,
  onClose,
}: {
  member: Member;
  model: GroupDetailsModel;
  onRemove: () => void;
  onClose: () => void;
}) {
  const { strings, user } = usePage();
  const self = member.user === user;
  const name = model.nameOf(member.user);
  const role =
    member.role === "owner" ? strings.group.owner : member.role === "admin" ? strings.group.admin : undefined;
  return (
    <PersonLine user={member.user} name={name} suffix={self ? strings.you : undefined} note={role}>
      {!self && (
        <button
          type="button"
          className="icon-button"
          data-tiny=""
          aria-label={strings.group.message(name)}
          title={strings.group.message(name)}
          onClick={() => {
            onClose();
            model.writeTo(member.user);
          }}
        >
          <Icon name="chat" size={18} />
        </button>
      )}
      {!self && model.manages && member.role !== "owner" && (
        <button
          type="button"
          className="icon-button"
          data-tiny=""
          data-danger=""
          aria-label={strings.group.remove(name)}
          title={strings.group.remove(name)}
          onClick={onRemove}
        >
          <Icon name="remove" size={18} />
        </button>
      )}
    </PersonLine>
  );
}

function RenameForm({ name, model, onDone }: { name: string; model: GroupDetailsModel; onDone: () => void }) {
  const { strings } = usePage();
  const [text, setText] = useState(name);
  return (
    <form
      className="rename"
      onSubmit={async (event) => {
        event.preventDefault();
        if (text.trim() === name || (await model.rename(text.trim()))) onDone();
      }}
    >
      <input
        value={text}
        dir="auto"
        maxLength={128}
        required
        // biome-ignore lint/a11y/noAutofocus: the form was opened to type here
        autoFocus
        aria-label={strings.people.groupName}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={text.trim() === ""}>
        {strings.group.save}
      </button>
    </form>
  );
}
