import { type ReactNode, useEffect, useRef } from "react";
import { useStrings } from "../page/page-context.ts";
import { Icon } from "./icon.tsx";

export interface SheetProps {
  readonly title: string;
  /** `centre`: a card in the middle; `side`: along the right edge. On phones both cover the screen from below. */
  readonly place?: "centre" | "side";
  /** As high as its content, where it is otherwise as high as it may be. */
  readonly fits?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A modal `<dialog>`: the browser traps the focus, closes it with Escape and makes the rest inert. */
export function Sheet({ title, place = "centre", fits = false, onClose, children }: SheetProps) {
  const strings = useStrings();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) {
      element.showModal();
      element.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    }
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="sheet"
      data-place={place}
      data-fits={fits || undefined}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="sheet-body">
        <header className="sheet-header">
          <h2>{title}</h2>
          <button
            type="button"
            className="icon-button"
            aria-label={strings.close}
            title={strings.close}
            onClick={onClose}
          >
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
