import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { usePage } from "../page/page-context.ts";
import { Icon } from "../parts/icon.tsx";

export interface ComposerSnapshot {
  readonly title: string;
  readonly draft: string;
  /** Take the focus when the conversation opens; not on phones, where the keyboard would cover it. */
  readonly focus: boolean;
}

export interface ComposerActions {
  write(text: string): void;
  /** Undefined: it is on its way. Otherwise why it cannot be sent; the text stays. */
  send(text: string): string | undefined;
}

export function Composer({ snapshot, actions }: { snapshot: ComposerSnapshot; actions: ComposerActions }) {
  const { strings } = usePage();
  const { title, draft, focus } = snapshot;
  const field = useRef<HTMLTextAreaElement>(null);
  const [failure, setFailure] = useState<string | undefined>(undefined);

  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [draft]);

  useEffect(() => {
    const element = field.current;
    if (element === null || !focus) return;
    element.focus({ preventScroll: true });
    element.setSelectionRange(element.value.length, element.value.length);
  }, [focus]);

  const send = () => {
    const text = draft.trim();
    if (text === "") return;
    const reason = actions.send(text);
    setFailure(reason);
    if (reason === undefined) actions.write("");
    field.current?.focus({ preventScroll: true });
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {failure !== undefined && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        value={draft}
        placeholder={strings.composer.placeholder}
        aria-label={strings.composer.label(title)}
        title={strings.composer.hint}
        enterKeyHint="send"
        autoComplete="off"
        onChange={(event) => actions.write(event.target.value)}
        onKeyDown={(event) => {
          if (!sends(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <button
        type="submit"
        className="send"
        aria-label={strings.composer.send}
        title={strings.composer.send}
        disabled={draft.trim() === ""}
      >
        <Icon name="send" />
      </button>
    </form>
  );
}

/** Enter alone sends, but not the Enter that ends the composition of an input method (229: Safari says it only so). */
function sends(event: KeyboardEvent): boolean {
  const composing = event.nativeEvent.isComposing || event.keyCode === 229;
  return (
    event.key === "Enter" &&
    !composing &&
    !event.shiftKey &&
    !event.altKey &&
    !event.ctrlKey &&
    !event.metaKey
  );
}
