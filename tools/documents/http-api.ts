import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "@hongyan/server";
import { table } from "./tables.ts";

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: {
    readonly content: Record<
      string,
      {
        readonly schema: {
          readonly properties?: Record<string, unknown>;
          readonly required?: readonly string[];
        };
      }
    >;
  };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

let tables: Promise<string> | undefined;

/** One table for each part of the HTTP API, from the document that a server gives out. */
export function httpApi(): Promise<string> {
  tables ??= makeTables();
  return tables;
}

async function makeTables(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), "hongyan-api-"));
  const made = createServer({ port: 0, tcpPort: "off", data, log: { level: "silent" } });
  try {
    const server = await made;
    const { url } = await server.listen();
    const { paths } = (await (await fetch(`${url}/v1/openapi.json`)).json()) as {
      paths: Record<string, Record<string, Operation>>;
    };
    const parts = new Map<string, string[][]>();
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const part = operation.tags[0] ?? "other";
        const rows = parts.get(part) ?? [];
        parts.set(part, [
          ...rows,
          [
            `\`${method.toUpperCase()} ${path}\``,
            takes(operation),
            answers(operation),
            [operation.summary, operation.description].filter(Boolean).join(". ").replace(/\.\.$/, "."),
          ],
        ]);
      }
    }
    return [...parts]
      .map(([part, rows]) => `### ${part}\n\n${table(["call", "takes", "answers", "what it does"], rows)}`)
      .join("\n\n");
  } finally {
    await made.then((server) => server.close()).catch(() => undefined);
    await rm(data, { recursive: true });
  }
}

function takes({ parameters = [], requestBody }: Operation): string {
  const query = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => `\`?${name}\``);
  const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
  const members = Object.keys(schema?.properties ?? {}).map(
    (name) => `\`${name}${schema?.required?.includes(name) ? "" : "?"}\``,
  );
  return [...query, ...members].join(", ");
}

function answers({ responses }: Operation): string {
  return Object.entries(responses)
    .filter(([status]) => /^2\d\d$/.test(status))
    .map(([status, { description }]) => `${status} ${description}`)
    .join("<br>");
}
