import { type ChildProcess, spawn } from "node:child_process";

/**
 * A process that outlives us for a moment: when its input ends, because we closed it or because we are gone, it ends
 * the server and removes the folder. Of a session of its own, so that Ctrl-C does not end it first.
 */
export function watch(folder: string): ChildProcess {
  const script = [
    "cat >/dev/null",
    'pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null',
    // The file goes last; and also where it does not, as when PostgreSQL was killed, this comes to an end.
    'tries=0; while [ -e "$0/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries+1)); done',
    'rm -rf "$0"',
  ].join("; ");
  const watchdog = spawn("/bin/sh", ["-c", script, folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.unref();
  return watchdog;
}
