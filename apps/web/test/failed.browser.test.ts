import assert from "node:assert/strict";
import { test } from "node:test";
import { skipReason } from "./browser/chromium.ts";
import { expectWithin } from "./browser/expect-within.ts";
import { world } from "./browser/world.ts";

const options = { skip: skipReason, timeout: 120_000 };

test(
  "a message that is too long stays where it was sent, folded, without a vain offer; the next one is in sight below it",
  options,
  async (t) => {
    const { person, said } = await world(t);
    await said("alice:bob", "bob", ["hi"]);
    const alice = await person("alice");
    const { page } = alice;
    await alice.openConversation("alice:bob");
    await alice.send(`too long ${"x".repeat(70_000)}`);
    const failed = page.locator('.message[data-status="failed"]');
    await failed.getByText("the message is too long").waitFor();
    assert.ok(((await failed.boundingBox())?.height ?? 999) < 300, "folded");
    assert.equal(await failed.getByRole("button", { name: "Try again" }).count(), 0);

    await alice.send("short one");
    await alice.send("short two");
    await alice.hasStatus("short two", "stored");
    const order = (await alice.texts()).map((text) => text.slice(0, 9));
    assert.deepEqual(order, ["hi", "too long ", "short one", "short two"]);
    const [last, list] = [
      await page.locator(".message").last().boundingBox(),
      await page.locator(".timeline").boundingBox(),
    ];
    assert.ok(last && list && last.y + last.height <= list.y + list.height + 1, "in sight");
    await expectWithin(
      () => alice.line("alice:bob").locator(".conversation-preview").textContent(),
      (text) => text?.includes("short two") === true,
      "the list shows the newest message",
    );

    await failed.getByRole("button", { name: "Edit" }).click();
    await expectWithin(
      () => page.locator(".composer textarea").inputValue(),
      (text) => text.startsWith("too long xxx"),
      "the text is in the composer",
    );
    await failed.getByRole("button", { name: "Discard" }).click();
    await failed.waitFor({ state: "detached" });
    alice.noErrors();
  },
);
