/** What some tests need from the machine. */
import { installPackages } from "./debian.mjs";
import { run } from "./tree.mjs";

/** `probe` succeeds where the thing is there. The font is the smallest with Chinese glyphs (1.6 MB). */
const needs = [
  {
    what: "Chromium",
    packages: ["chromium"],
    probe: "command -v chromium || command -v chromium-browser || command -v google-chrome",
  },
  {
    what: "a font with Chinese glyphs",
    packages: ["fontconfig", "fonts-wqy-microhei"],
    probe: "fc-list :lang=zh | grep -q .",
  },
  {
    what: "curl, for the commands in the documents",
    packages: ["curl"],
    probe: "command -v curl",
  },
  {
    what: "Python 3",
    packages: ["python3-minimal", "libpython3-stdlib"],
    probe: "python3 -c 'import json, socket, struct, urllib.request'",
  },
];

export async function ensureSystem() {
  const missing = await stillMissing();
  if (missing.length === 0) return;
  const why = await installPackages(missing.flatMap((need) => need.packages));
  const left = await stillMissing();
  if (left.length > 0) warn(left, why ?? "apt-get has installed it, and it does not work");
}

async function stillMissing() {
  const found = await Promise.all(needs.map((need) => run("sh", ["-c", need.probe])));
  return needs.filter((_, i) => found[i]?.code !== 0);
}

/** Not an error: everything else can still be tested. But nobody should take a skipped test for a passed one. */
function warn(missing, reason) {
  const line = "!".repeat(100);
  console.error(line);
  for (const { what, packages } of missing) {
    console.error(`! MISSING: ${what} (Debian: ${packages.join(" ")}). Tests that need it are SKIPPED.`);
  }
  console.error(`! ${reason}`);
  console.error(line);
}
