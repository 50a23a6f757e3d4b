/** Packages of Debian, where this is root on Debian or one of its kind. */
import { run, say } from "./tree.mjs";

/** Installs packages. Resolves to why nothing was installed, in words for people, or to undefined. */
export async function installPackages(packages) {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "not root, so nothing was installed";
  if ((await run("sh", ["-c", "command -v apt-get"])).code !== 0) return "no apt-get here";
  say(`apt-get install ${packages.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-qq", "-o", "DPkg::Lock::Timeout=300"];
  const update = await run("apt-get", [...options, "update"], { env });
  const install = await run(
    "apt-get",
    [...options, "install", "-y", "--no-install-recommends", ...packages],
    { env },
  );
  if (install.code === 0) return undefined;
  const output = install.output || update.output;
  return `apt-get failed:\n${output.trim().split("\n").slice(-5).join("\n")}`;
}
