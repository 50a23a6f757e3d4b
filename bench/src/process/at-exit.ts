/** What must not stay behind, however this process ends: servers that would run on, folders that would fill the disk. */
const duties = new Set<() => void>();
let isArmed = false;

/** Runs `duty` when the process ends; returns how to take it back. */
export function atExit(duty: () => void): () => void {
  arm();
  duties.add(duty);
  return () => duties.delete(duty);
}

function arm(): void {
  if (isArmed) return;
  isArmed = true;
  process.on("exit", () => {
    // The other way round: a server is ended before its folder goes.
    for (const duty of [...duties].reverse()) duty();
  });
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
}
