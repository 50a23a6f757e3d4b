import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Figures, readFigures } from "../src/page/figure.ts";
import { type Page, pageOf } from "../src/page/page.ts";
import { writePage } from "../src/page/write.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixture/${name}.json`, import.meta.url));
const files = [fixture("ours"), fixture("peers")];

function page(figures: Figures = readFigures(files)): Page {
  return pageOf(figures);
}

function plot(file: string): string {
  const found = page().plots.find((one) => one.file === file);
  assert.ok(found !== undefined, `there is no ${file}`);
  return found.svg;
}

test("every picture of the page is made, and every one that is made is shown", () => {
  const { text, plots } = page();
  const shown = [...text.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, file]) => file);
  assert.deepEqual(
    shown,
    plots.map(({ file }) => file),
  );
  assert.deepEqual(shown, [
    "direct.svg",
    "direct-latency.svg",
    "crash.svg",
    "growth-members.svg",
    "memory.svg",
  ]);
});

test("the spread stands beside every median, and what an acknowledgement means beside every system", () => {
  const { text } = page();
  assert.match(text, /\| carrier, 32 in flight \| 5,000 \| 3 \| 20 % \|/);
  assert.match(text, /\| hongyan, tcp, 32 in flight \| 140,000 \| 3 \| 20 % \| 360,000 \| 0\.39 \|/);
  assert.match(text, /- \*\*carrier 1\.2\*\*: on disk/);
  assert.match(text, /- \*\*pigeon <fast> 1\.2\*\*: in memory/);
  assert.match(text, /- all, dodo: missing: extinct/);
});

test("what one unit of work costs is one line, with a column for each thing that it uses", () => {
  const like = readFigures(files).rows[0];
  assert.ok(like !== undefined);
  const row = (of: string, resource: string, unit: string, value: number) => ({
    ...like,
    ...{
      scenario: "costs",
      variant: `${of}, ${resource}`,
      of,
      resource,
      unit,
      value,
      runs: 1,
      note: `how ${of}`,
    },
  });
  const rows = [
    row("message", "nodes", "µs CPU", 60),
    row("message", "NATS", "µs CPU", 9),
    row("heartbeat", "nodes", "µs CPU", 30),
  ];
  const { text } = page({ rows, absences: [] });
  assert.match(text, /\| one \| nodes, µs CPU \| NATS, µs CPU \| runs \| how \|/);
  assert.match(
    text,
    /\| message \| 60 \| 9 \| 1 \| how message \|\n\| heartbeat \| 30 \| {2}\| 1 \| how heartbeat \|/,
  );
});

test("what distribution costs stands in a section of its own, as a part of one embedded node", () => {
  const { text } = page();
  const [, section = ""] = text.split("## PostgreSQL, and several nodes");
  assert.match(
    section,
    /\| direct, 32 in flight \(3 nodes on PostgreSQL and NATS\) \| messages\/s \| 20,000 \| 3 \| 10 % \| 100,000 \| 0\.20 \|/,
  );
  assert.equal(text.split("3 nodes on PostgreSQL and NATS").length, 2, "it stands there only");
});

test("machine, date and command stand on the page", () => {
  const { text } = page();
  assert.match(text, /2 × Test CPU, 4 GB, Linux 6\.1, Node 26: \d+ figures, 2030-01-02, load average 1\.9/);
  assert.match(text, /\| `npm run bench -- --peers` \| `direct` \| 2030-01-02 \|/);
});

test("bars are grouped by what is on disk when acknowledged, ours from the same run as the peers", () => {
  const svg = plot("direct.svg");
  const order = ["On disk when acknowledged", "hongyan tcp", "carrier", "NOT on disk", "pigeon &lt;fast&gt;"];
  const places = order.map((name) => svg.indexOf(`>${name}`));
  assert.ok(places.every((place) => place > 0));
  assert.deepEqual(
    places,
    [...places].sort((one, other) => one - other),
  );
  assert.match(svg, />138,000</);
  assert.doesNotMatch(svg, />140,000</);
});

test("a storm of several systems has a section of its own, one of ours alone is among the other figures", () => {
  const { rows, absences } = readFigures(files);
  const [first] = rows as [Figures["rows"][number]];
  const storm = {
    ...first,
    scenario: "storm",
    unit: "s",
    better: "less",
    value: 2,
    inFlight: undefined,
  } as const;
  const ours = { ...storm, variant: "5000 × tcp", system: undefined };
  const { text, plots } = page({ rows: [...rows, ours, { ...storm, system: "carrier" }], absences });
  assert.ok(plots.some(({ file }) => file === "storm.svg"));
  assert.match(text, /## Everybody comes back at once/);
  assert.match(text, /## Other figures[^#]*`storm` 5000 × tcp/);
  assert.equal(text.split("5000 × tcp").length - 1, 1);
});

test("what grows and should not is marked", () => {
  assert.match(
    page().text,
    /\| send, nobody online \| members \| 0\.40 \| 0\.79 \| constant \| \*\*grows\*\* \| how it is measured \|/,
  );
});

test("the line of the latency has a hole where nothing was received", () => {
  const svg = plot("crash.svg");
  assert.match(svg, /SIGKILL/);
  const latency = [...svg.matchAll(/<path d="([^"]+)"/g)].map(([, d]) => d ?? "")[1] ?? "";
  assert.equal(latency.split("M").length - 1, 2, latency);
});

test("pictures are well-formed and hold no place that is no number", () => {
  for (const { file, svg } of page().plots) {
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/, file);
    const open = [...svg.matchAll(/<([a-z]+)\b(?:[^>]*[^/])?>/g)].map(([, name]) => name);
    const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, name]) => name);
    assert.deepEqual(open.sort(), closed.sort(), file);
    assert.doesNotMatch(svg, /&(?!amp;|lt;|gt;|quot;)/, file);
  }
});

test("figures of quick runs are labelled", () => {
  const { rows, absences } = readFigures(files);
  assert.doesNotMatch(page().text, /Do not quote/);
  const quick = rows.map((row) => ({ ...row, command: "npm run bench -- direct --quick" }));
  assert.match(
    page({ rows: quick, absences }).text,
    /All figures of this page come from runs with `--quick`/,
  );
});

test("the later of two figures of the same thing stands", () => {
  const { rows } = readFigures([...files, ...files]);
  assert.equal(rows.length, readFigures(files).rows.length);
});

test("the page is written, plots of before are taken away, and files without rows are refused", () => {
  const folder = mkdtempSync(join(tmpdir(), "hongyan-page-"));
  try {
    writeFileSync(join(folder, "old.svg"), "");
    assert.equal(
      writePage(files, () => {}, folder),
      0,
    );
    assert.equal(existsSync(join(folder, "old.svg")), false);
    assert.equal(readdirSync(folder).length, 6);
    assert.match(readFileSync(join(folder, "README.md"), "utf8"), /^# Results\n/);
    writeFileSync(join(folder, "empty.json"), "[]");
    assert.throws(() => writePage([join(folder, "empty.json")], () => {}, folder), /not a single row/);
    assert.throws(() => writePage([join(folder, "none.json")], () => {}, folder), /cannot be read/);
    assert.throws(() => writePage([], () => {}, folder), /FILE\.json/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
