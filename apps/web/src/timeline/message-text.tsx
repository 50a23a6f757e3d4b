import { memo, type ReactNode, useMemo, useState } from "react";
import { useStrings } from "../page/page-context.ts";
import { excerpt } from "../text/excerpt.ts";
import { isJustEmoji, type TextPiece, textPieces } from "../text/links.ts";

/**
 * The text of a message, then `children` (time and ticks) floating into its last line. Whatever the text holds, it
 * becomes text nodes, links and code: there is no HTML. Each message has the direction of its own first letter.
 */
export const MessageText = memo(function MessageText({
  text,
  isFailed,
  children,
}: {
  text: string;
  /** It was not sent: a long one is folded early. */
  isFailed: boolean;
  children: ReactNode;
}) {
  const strings = useStrings();
  const [whole, setWhole] = useState(false);
  const shown = useMemo(() => (whole ? text : excerpt(text, isFailed)), [text, isFailed, whole]);
  const pieces = useMemo(() => textPieces(shown), [shown]);
  return (
    <div className="message-text" dir="auto" data-emoji={isJustEmoji(text) || undefined}>
      {pieces.map((piece, index) => (
        <Piece key={index} piece={piece} />
      ))}
      {shown.length < text.length && (
        <>
          {"… "}
          <button type="button" className="text-button" onClick={() => setWhole(true)}>
            {strings.chat.longer(text.length)}
          </button>
        </>
      )}
      {children}
    </div>
  );
});

function Piece({ piece }: { piece: TextPiece }) {
  switch (piece.kind) {
    case "link":
      return (
        <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">
          {piece.text}
        </a>
      );
    case "code":
      return <code dir="ltr">{piece.text}</code>;
    case "block":
      return (
        <pre dir="ltr">
          <code>{piece.text}</code>
        </pre>
      );
    case "text":
      return piece.text;
  }
}
