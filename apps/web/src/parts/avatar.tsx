import { hueOf, initials } from "../text/initials.ts";

/** Initials on a colour that belongs to the id. Decorative: the name always stands beside it. */
export function Avatar({
  id,
  name,
  kind = "direct",
  size = "large",
}: {
  id: string;
  name: string;
  kind?: "direct" | "group";
  size?: "small" | "large" | "huge";
}) {
  return (
    <span className="avatar" data-hue={hueOf(id)} data-kind={kind} data-size={size} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
