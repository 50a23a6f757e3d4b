import { useMemo, useState } from "react";
import { directConversation } from "../chat/open-conversation.ts";
import { usePage } from "../page/page-context.ts";
import { route } from "../page/route.ts";
import { Icon } from "../parts/icon.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { reasonOf } from "../text/reason.ts";
import { PeoplePicker } from "./people-picker.tsx";
import { usePeople } from "./use-people.ts";

/** Pick one person to write to, or name a group and pick several. */
export function NewConversation({ onClose }: { onClose: () => void }) {
  const { strings, user } = usePage();
  const people = usePeople();
  const without = useMemo(() => new Set([user]), [user]);
  const [group, setGroup] = useState(false);
  if (group) return <NewGroup onClose={onClose} />;
  return (
    <Sheet title={strings.people.title} onClose={onClose}>
      <button type="button" className="person action" onClick={() => setGroup(true)}>
        <span className="avatar" data-size="small" data-plain="">
          <Icon name="group" size={20} />
        </span>
        <span className="person-name">{strings.people.group}</span>
      </button>
      <PeoplePicker
        people={people}
        without={without}
        onPick={(peer) => {
          onClose();
          route.open(directConversation(user, peer));
        }}
      />
    </Sheet>
  );
}

function NewGroup({ onClose }: { onClose: () => void }) {
  const { client, strings, user } = usePage();
  const people = usePeople();
  const without = useMemo(() => new Set([user]), [user]);
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [state, setState] = useState<{ busy: boolean; failure?: string }>({ busy: false });

  const create = async () => {
    setState({ busy: true });
    try {
      const conversation = await client.createGroup({ name: name.trim(), members: [...chosen] });
      onClose();
      route.open(conversation);
    } catch (error) {
      setState({ busy: false, failure: strings.people.failed(reasonOf(error, strings)) });
    }
  };

  return (
    <Sheet title={strings.people.groupTitle} onClose={onClose}>
      <form
        className="sheet-form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <label className="field">
          <span>{strings.people.groupName}</span>
          <input
            value={name}
            dir="auto"
            maxLength={128}
            required
            placeholder={strings.people.groupNamePlaceholder}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <PeoplePicker
          people={people}
          without={without}
          chosen={chosen}
          onPick={(one) => setChosen(toggled(chosen, one))}
        />
        {state.failure !== undefined && (
          <p className="form-failure" role="alert">
            {state.failure}
          </p>
        )}
        <footer className="sheet-footer">
          <span>{chosen.size > 0 && strings.people.chosen(chosen.size)}</span>
          <button type="submit" className="button" disabled={state.busy || name.trim() === ""}>
            {strings.people.create}
          </button>
        </footer>
      </form>
    </Sheet>
  );
}

export function toggled(chosen: ReadonlySet<string>, user: string): ReadonlySet<string> {
  const next = new Set(chosen);
  if (!next.delete(user)) next.add(user);
  return next;
}
