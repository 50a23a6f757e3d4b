import assert from "node:assert/strict";
import { test } from "node:test";
import { skipReason } from "./browser/chromium.ts";
import { world } from "./browser/world.ts";

const options = { skip: skipReason, timeout: 120_000 };

test(
  "a malformed link says so in a tab that shows the page already, and a refused one leads to the sign-in page",
  options,
  async (t) => {
    const { person, link } = await world(t);
    const alice = await person("alice");
    const { page } = alice;
    const lines = [
      [`${link("alice").split("#")[0]}#token=abc`, "This is not a sign-in link or token."],
      [`${link("alice").slice(0, -6)}AAAAAA`, "The server does not accept this sign-in"],
    ] as const;
    await page.evaluate(() => {
      location.hash = "#token=abc";
    });
    await page.getByRole("alert").getByText(lines[0][1]).waitFor();
    assert.equal(await page.evaluate(() => location.hash), "");
    // The account is still remembered: one click leads back.
    await page.getByRole("button", { name: "Continue as alice" }).click();
    await alice.ready();

    const other = await (await page.context().browser()?.newContext({ locale: "en-GB" }))?.newPage();
    assert.ok(other);
    await other.goto(lines[1][0]);
    await other.getByRole("alert").getByText(lines[1][1]).waitFor();
    assert.equal(await other.locator(".sidebar").count(), 0);
    assert.equal(await other.getByRole("button", { name: "Continue as" }).count(), 0);
    await other.goto(lines[0][0]);
    await other.getByRole("alert").getByText(lines[0][1]).waitFor();
  },
);

test(
  "signing out in one tab signs the other tabs of the account out, and nobody else",
  options,
  async (t) => {
    const { person, link } = await world(t);
    const alice = await person("alice");
    const second = await alice.tab(link("alice"));
    const bob = await alice.tab(link("bob"), "bob");
    // With two others remembered, the page asks who it shall be.
    await alice.tab(link("carol"), "carol");
    await alice.page.getByRole("button", { name: "Sign out" }).click();
    for (const { page } of [alice, second]) await page.locator(".sign-in").waitFor();
    assert.equal(await bob.page.locator(".sidebar").count(), 1);
  },
);

test("a pause before the next attempt can be ended", options, async (t) => {
  const { person, network } = await world(t);
  const way = await network();
  const alice = await person("alice", { through: way });
  way.cut();
  const button = alice.page.getByRole("button", { name: "Try now" });
  await button.waitFor();
  // The pauses grow: the one that is ended here is one of several seconds.
  await alice.page.getByText(/Trying again in ([5-9]|[1-9][0-9]) s/u).waitFor({ timeout: 60_000 });
  way.mend();
  await button.click();
  await alice.page.locator('.connection[data-kind="none"]').waitFor({ state: "attached", timeout: 2_500 });
});
