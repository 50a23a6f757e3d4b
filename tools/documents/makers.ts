/** What is made from the code: see `tables.ts`. */
import { closeCodes, errors, type FrameSchema, limits, schemas } from "@hongyan/protocol";
import { readVectors } from "../../packages/protocol/test/vectors.ts";
import {
  forwardRows,
  jointRows,
  postgresRows,
  readyRow,
  rows,
  trafficRows,
} from "../../packages/server/src/operations/metrics.ts";
import { guaranteeTests } from "./guarantees.ts";
import { httpApi } from "./http-api.ts";
import { limitMeanings } from "./limits.ts";
import { type Maker, table } from "./tables.ts";

type MetricRows = typeof forwardRows | typeof jointRows | typeof postgresRows | typeof trafficRows;

/** What `made: metrics …` may ask for, beside those of the node. */
const metricRows: Readonly<Record<string, MetricRows>> = {
  "between nodes": jointRows,
  "by transport": trafficRows,
  forwarding: forwardRows,
  "of postgres": postgresRows,
};

export const makers: Readonly<Record<string, Maker>> = {
  errors: () =>
    table(
      ["code", "name", "retry", "HTTP", "meaning"],
      Object.entries(errors).map(([name, { code, retry, httpStatus, meaning }]) => [
        code,
        `\`${name}\``,
        retry,
        httpStatus,
        meaning,
      ]),
    ),
  "close-codes": () =>
    table(
      ["code", "name", "then", "meaning"],
      Object.entries(closeCodes).map(([name, { code, meaning }]) => [
        code,
        `\`${name}\``,
        advice(code),
        meaning,
      ]),
    ),
  limits: async () => {
    const meanings = await limitMeanings();
    return table(
      ["name", "value", "what"],
      Object.entries(limits).map(([name, value]) => [
        `\`${name}\``,
        value.toLocaleString("en"),
        meanings[name] ?? "",
      ]),
    );
  },
  frames: (direction) =>
    table(
      ["code", "type", "fields in order", "body"],
      schemas
        .filter((schema) => schema.direction === direction)
        .map((schema: FrameSchema) => [
          schema.code,
          `\`${schema.type}\``,
          fieldsOf(schema),
          schema.hasBody ? "yes" : "",
        ]),
    ),
  vector: async (name) => {
    const vector = (await readVectors()).find((row) => row.name === name);
    if (vector === undefined) throw new Error(`there is no golden frame "${name}"`);
    return [
      "```text",
      `text         ${vector.text}`,
      `json         ${spaced(vector.json)}`,
      `messagepack  ${spaced(vector.messagepack)}`,
      "```",
    ].join("\n");
  },
  metrics: (of) =>
    table(
      ["metric", "type", "meaning"],
      Object.values(metricRows[of] ?? { ready: readyRow, ...rows }).map(({ name, type, help }) => [
        `\`hongyan_${name}\``,
        type,
        help,
      ]),
    ),
  guarantee: guaranteeTests,
  "http-api": httpApi,
};

function advice(code: number): string {
  if (code >= 4200) return "stop";
  return code >= 4100 ? "renew the token" : "reconnect";
}

/** `conversation: string ≤ 129, after?: …`: the `?` marks what may be absent. */
function fieldsOf(schema: FrameSchema): string {
  if (schema.places.length === 0) return "none";
  return schema.places
    .map(({ name, kind, optional, max }) => `\`${name}${optional ? "?" : ""}\` ${kind}${bound(kind, max)}`)
    .join(", ");
}

function bound(kind: string, max: number): string {
  if (kind === "boolean" || (kind === "uint" && max === Number.MAX_SAFE_INTEGER)) return "";
  return kind === "uint" ? " u32" : ` ≤ ${max}`;
}

/** The header's fields apart, then the rest. */
function spaced(hex: string): string {
  return `${hex.slice(0, 8)} ${hex.slice(8, 10)} ${hex.slice(10, 12)} ${hex.slice(12, 16)} ${hex.slice(16, 24)} ${hex.slice(24)}`.trim();
}
