/** The server's log: structured lines on standard error, so that standard output stays for people and scripts. */
import type { Journal } from "@hongyan/core";
import { destination, pino, stdSerializers } from "pino";
import type { Config } from "../config/schema.ts";

/** Lines beyond this are dropped. */
const unreadBytesMax = 4 * 1024 * 1024;

export function openJournal(config: Config["log"]): Journal {
  const asText = config.format === "text" || (config.format === "auto" && process.stderr.isTTY === true);
  // Asynchronous and bounded: whoever reads the log too slowly, or not at all, must not stop the server. The rest
  // is flushed when the process exits.
  const output = destination({ dest: 2, sync: false, maxLength: unreadBytesMax });
  // Nobody reads any more: the server goes on.
  output.on("error", () => {});
  const log = pino(
    {
      level: config.level,
      base: undefined,
      messageKey: "event",
      errorKey: "error",
      serializers: { error: stdSerializers.err },
    },
    asText ? { write: (line: string) => output.write(readable(line)) } : output,
  );
  return {
    info: (event, details = {}) => log.info(details, event),
    warn: (event, details = {}) => log.warn(details, event),
  };
}

/** `12:03:01.123 WARN event key=value …` */
function readable(line: string): string {
  const { level, time, event, ...details } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const word = Number(level) >= 40 ? " WARN" : "";
  const rest = Object.entries(details).map(
    ([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `${clock}${word} ${event}${rest.join("")}\n`;
}
