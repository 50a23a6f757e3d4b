const paths = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  compose:
    "M12.5 4.5H7A2.5 2.5 0 0 0 4.5 7v10A2.5 2.5 0 0 0 7 19.5h10a2.5 2.5 0 0 0 2.5-2.5v-5.5M10 14l.7-3 7.3-7.3a1.6 1.6 0 0 1 2.3 2.3L13 13.3z",
  chat: "M12 19.5c4.7 0 8.5-3.2 8.5-7.3S16.7 5 12 5s-8.5 3.2-8.5 7.2c0 1.7.7 3.3 1.9 4.5-.1 1-.5 2-1.2 2.8 1.4 0 2.7-.5 3.7-1.2 1.2.8 2.6 1.2 4.1 1.2z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  send: "M5 12h13M12.5 5.5L19 12l-6.5 6.5",
  down: "M6 9.5l6 6 6-6",
  up: "M6 14.5l6-6 6 6",
  info: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 11v5M12 8v.01",
  group:
    "M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11zM2.8 19.5c0-3.3 2.7-5.5 6.2-5.5s6.2 2.2 6.2 5.5M16 5.2a3 3 0 0 1 0 5.6M17.5 14.3c2.3.6 3.7 2.5 3.7 5.2",
  person: "M12 11.5a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4zM4.8 20c0-3.7 3.1-6 7.2-6s7.2 2.3 7.2 6",
  add: "M12 5v14M5 12h14",
  leave: "M14 4H6v16h8M11 12h10M17.5 8.5L21 12l-3.5 3.5",
  remove: "M6 12h12",
  check: "M5 12.5l4.5 4.5L19 7.5",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4h-4",
  edit: "M4 20h4L19 9a2.1 2.1 0 0 0-3-3L5 17z",
} as const;

export type IconName = keyof typeof paths;

/** A line drawing in the colour of the text around it. Decorative: the control that holds it carries the label. */
export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={paths[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
