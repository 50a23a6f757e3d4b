import { useMemo, useState } from "react";
import { usePage } from "../page/page-context.ts";
import { Sheet } from "../parts/sheet.tsx";
import { toggled } from "../people/new-conversation.tsx";
import { PeoplePicker } from "../people/people-picker.tsx";
import { usePeople } from "../people/use-people.ts";

export interface AddPeopleProps {
  readonly members: readonly string[];
  /** Undefined: it worked. */
  add(users: readonly string[]): Promise<string | undefined>;
  onClose(): void;
}

export function AddPeople({ members, add, onClose }: AddPeopleProps) {
  const { strings } = usePage();
  const people = usePeople();
  const without = useMemo(() => new Set(members), [members]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [state, setState] = useState<{ busy: boolean; failure?: string | undefined }>({ busy: false });
  return (
    <Sheet title={strings.group.addTitle} place="side" onClose={onClose}>
      <PeoplePicker
        people={people}
        without={without}
        chosen={chosen}
        onPick={(user) => setChosen(toggled(chosen, user))}
      />
      {state.failure !== undefined && (
        <p className="form-failure" role="alert">
          {state.failure}
        </p>
      )}
      <footer className="sheet-footer">
        <span />
        <button
          type="button"
          className="button"
          disabled={state.busy || chosen.size === 0}
          onClick={async () => {
            setState({ busy: true });
            const failure = await add([...chosen]);
            setState({ busy: false, failure });
            if (failure === undefined) onClose();
          }}
        >
          {strings.group.addSubmit(chosen.size)}
        </button>
      </footer>
    </Sheet>
  );
}
