import assert from "node:assert/strict";
import { test } from "node:test";
import { skipReason } from "./browser/chromium.ts";
import { expectWithin } from "./browser/expect-within.ts";
import { world } from "./browser/world.ts";

const options = { skip: skipReason, timeout: 120_000 };

test("G1 G3 G5 two people chat: every message once and in order, ticks reach read", options, async (t) => {
  const { person } = await world(t);
  const alice = await person("alice");
  const bob = await person("bob");

  await alice.writeTo("bob");
  await alice.send("Hello Bob");
  await bob.line("alice:bob").waitFor();
  await alice.hasStatus("Hello Bob", "delivered");
  await bob.openConversation("alice:bob");
  await bob.sees("Hello Bob");
  await alice.hasStatus("Hello Bob", "read");

  await bob.send("Hello Alice");
  await bob.send("How are you?");
  await alice.send("Fine");
  await bob.send("Good");
  const said = ["Hello Bob", "Hello Alice", "How are you?", "Fine", "Good"];
  await alice.sees(...said);
  await bob.sees(...said);
  assert.deepEqual(await alice.texts(), await bob.texts());
  assert.equal((await alice.texts()).length, said.length);
  await bob.hasStatus("Good", "read");
  await alice.hasStatus("Fine", "read");
  for (const one of [alice, bob]) one.noErrors();
});

test("who is online is shown, and who has left", options, async (t) => {
  const { person } = await world(t);
  const alice = await person("alice");
  const bob = await person("bob");
  await alice.writeTo("bob");
  await alice.send("Hello");
  await bob.openConversation("alice:bob");
  for (const one of [alice, bob]) {
    await one.page.locator(".chat-subtitle", { hasText: "online" }).waitFor();
    await one.line("alice:bob").locator(".online-dot").waitFor();
  }
  await alice.page.getByRole("button", { name: "New conversation" }).first().click();
  await alice.page.locator('dialog [data-user="bob"] .online-dot').waitFor();
  assert.equal(await alice.page.locator('dialog [data-user="carol"] .online-dot').count(), 0);
  await alice.page.keyboard.press("Escape");
  const carol = await person("carol");
  await alice.writeTo("carol");
  await alice.page.locator(".chat-subtitle", { hasText: "online" }).waitFor();
  // A session without a connection would count for a minute.
  await carol.page.goto("about:blank");
  await alice.page.locator(".chat-subtitle", { hasText: "offline" }).waitFor({ timeout: 10_000 });
  await carol.page.goBack();
  await alice.page.locator(".chat-subtitle", { hasText: "online" }).waitFor({ timeout: 10_000 });
  await alice.openConversation("alice:bob");
  await bob.page.getByRole("button", { name: "Sign out" }).click();
  await alice.page.locator(".chat-subtitle", { hasText: "offline" }).waitFor();
  await alice.line("alice:bob").locator(".online-dot").waitFor({ state: "detached" });
});

test(
  "G5 what is not on screen in a visible tab is not read: unread counts, in the list and in the title",
  options,
  async (t) => {
    const { person, said } = await world(t);
    await said("alice:bob", "alice", ["one"]);
    await said("bob:carol", "carol", ["from Carol"]);
    const bob = await person("bob");
    const alice = await person("alice");
    await bob.openConversation("bob:carol");
    await bob.hasUnread("bob:carol", 0);
    await bob.hasUnread("alice:bob", 1);

    await alice.openConversation("alice:bob");
    await alice.send("two");
    await bob.hasUnread("alice:bob", 2);
    assert.equal(await bob.page.title(), "(2) Carol · Hongyan");
    await alice.hasStatus("two", "delivered");

    await bob.openConversation("alice:bob");
    await bob.hasUnread("alice:bob", 0);
    await alice.hasStatus("two", "read");
    await expectWithin(
      () => bob.page.title(),
      (title) => title === "Alice · Hongyan",
      "the title has no count",
    );

    await bob.hide(true);
    await alice.send("three");
    await bob.sees("three");
    await alice.hasStatus("three", "delivered");
    await bob.hasUnread("alice:bob", 1);
    assert.equal(await alice.status("three"), "delivered");
    await bob.hide(false);
    await alice.hasStatus("three", "read");
    // Where the eye left off: the divider stands before what came while nobody looked.
    const order = await bob.page.evaluate(() =>
      [...document.querySelectorAll(".unread-line, .message")].map((row) =>
        row.matches(".unread-line") ? "new" : "message",
      ),
    );
    assert.deepEqual(order, ["message", "message", "new", "message"]);
    for (const one of [alice, bob]) one.noErrors();
  },
);

test("a group is made, used and managed: members, receipts, name, leaving", options, async (t) => {
  const { person } = await world(t);
  const [alice, bob, carol] = [await person("alice"), await person("bob"), await person("carol")];
  const { page } = alice;

  await page.getByRole("button", { name: "New conversation" }).first().click();
  await page.getByRole("button", { name: "New group" }).click();
  await page.getByLabel("Group name").fill("Walk");
  for (const user of ["bob", "carol"]) await page.locator(`dialog [data-user="${user}"]`).click();
  await page.getByRole("button", { name: "Create group" }).click();
  await page.locator(".chat-title", { hasText: "Walk" }).waitFor();
  const group = (await page.evaluate(() => location.hash)).replace("#/c/", "");

  await alice.send("Who comes?");
  for (const one of [bob, carol]) {
    await one.hasUnread(group, 1);
    await one.openConversation(group);
    await one.sees("Who comes?");
  }
  await alice.hasStatus("Who comes?", "read");
  await bob.send("Me");
  await alice.sees("Me");
  assert.equal(await alice.page.locator(".sender", { hasText: "Bob" }).count(), 1);

  await page.locator(".message", { hasText: "Who comes?" }).locator("button.meta").click();
  await page.locator('[data-receipt="read"] h3', { hasText: "Read · 2" }).waitFor();
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Group details" }).last().click();
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByLabel("Group name").fill("Sunday walk");
  await page.getByRole("button", { name: "Save" }).click();
  await carol.page.locator(".chat-title", { hasText: "Sunday walk" }).waitFor();
  await carol.page.locator(".system", { hasText: "renamed the group to" }).waitFor();

  await page.getByRole("button", { name: "Add people" }).click();
  await page.locator('dialog [data-user="dave"]').click();
  await page.getByRole("button", { name: "Add 1 person" }).click();
  await page.locator(".person-name", { hasText: "Dave" }).waitFor();
  await page.getByRole("button", { name: "Remove Carol from the group" }).click();
  const question = page.getByRole("alertdialog", { name: "Remove" });
  await question.getByText("Remove Carol from the group?").waitFor();
  assert.equal(await carol.page.locator(".composer-gone").count(), 0, "nothing happens before the answer");
  await question.getByRole("button", { name: "Remove" }).click();
  await carol.page.locator(".composer-gone").waitFor();
  await page.keyboard.press("Escape");
  await alice.page.locator(".system", { hasText: "removed" }).waitFor();

  await bob.page.getByRole("button", { name: "Group details" }).last().click();
  await bob.page.getByRole("button", { name: "Leave group" }).click();
  await bob.page.getByRole("alertdialog").getByRole("button", { name: "Leave group" }).click();
  await alice.page.locator(".system", { hasText: "left" }).waitFor();
  await bob.page.locator(".chat-subtitle", { hasText: "You are not a member" }).waitFor();
  for (const one of [alice, bob, carol]) one.noErrors();
});
