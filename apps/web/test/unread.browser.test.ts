import assert from "node:assert/strict";
import { test } from "node:test";
import { skipReason } from "./browser/chromium.ts";
import { expectWithin } from "./browser/expect-within.ts";
import { type World, world } from "./browser/world.ts";

interface Members {
  readonly members: readonly {
    readonly user: string;
    readonly delivered: number;
    readonly read: number;
  }[];
}

const options = { skip: skipReason, timeout: 120_000 };
const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);

/** A new group in which Alice has said 300 lines before Dave has a look. */
async function group({ api, said }: World): Promise<void> {
  await api("POST", "/v1/conversations", {
    conversation: "walk",
    name: "Walk",
    members: [{ user: "alice" }, { user: "dave" }],
  });
  await said("walk", "alice", lines);
}

async function dave({ api }: World) {
  const { members } = (await api("GET", "/v1/conversations/walk/members")) as Members;
  return members.find(({ user }) => user === "dave");
}

test(
  "G5 many unread messages: the conversation opens at its end, without a false divider; the way to the first is offered",
  options,
  async (t) => {
    const here = await world(t);
    await group(here);
    const person = await here.person("dave", { viewport: { width: 390, height: 760 } });
    await person.hasUnread("walk", 300);
    await expectWithin(
      () => dave(here),
      (member) => (member?.delivered ?? 0) >= 300,
      "everything has arrived",
    );
    const { page } = person;
    // Whatever is shown on the way is noted: nothing may stand there for a moment either.
    await page.evaluate(() => {
      const found = { dividers: 0 };
      Object.assign(window, { found });
      new MutationObserver(() => {
        if (document.querySelector(".unread-line") !== null) found.dividers++;
      }).observe(document.body, { childList: true, subtree: true });
    });
    assert.equal(
      await page.evaluate(() => {
        const sidebar = document.querySelector(".sidebar");
        return sidebar && getComputedStyle(sidebar).borderInlineEndWidth;
      }),
      "0px",
      "a phone shows one pane: there is no border beside it",
    );
    await person.openConversation("walk");
    await person.sees("line 299");
    await person.hasUnread("walk", 0);
    const dividers = await page.evaluate(
      () => (window as unknown as { found: { dividers: number } }).found.dividers,
    );
    assert.equal(dividers, 0);
    const last = await page.locator(".message").last().boundingBox();
    const list = await page.locator(".timeline").boundingBox();
    assert.ok(last && list && last.y + last.height <= list.y + list.height + 1, "the end is in sight");

    const way = page.getByRole("button", { name: "300 new messages" });
    assert.ok(((await way.boundingBox())?.height ?? 99) < 44, "on one line");
    await way.click();
    const line = page.locator(".unread-line");
    await line.waitFor();
    await person.sees("line 0");
    await way.waitFor({ state: "detached" });
    const top = await line.boundingBox();
    assert.ok(top && list && top.y >= list.y && top.y < list.y + list.height / 2, "at the first of them");
    assert.equal(
      await page.evaluate(() =>
        document.querySelector(".unread-line + .message .message-text")?.textContent?.startsWith("line 0"),
      ),
      true,
    );
    person.noErrors();
  },
);

test(
  "G5 in the middle of what is unread nothing becomes read: only what joins the read position, or the end",
  options,
  async (t) => {
    const here = await world(t);
    await group(here);
    const person = await here.person("dave");
    await person.hasUnread("walk", 300);
    await expectWithin(
      () => dave(here),
      (member) => (member?.delivered ?? 0) >= 300,
      "everything has arrived",
    );
    const { page } = person;
    await person.hide(true);
    await person.openConversation("walk");
    await person.sees("line 299");
    // Far from the end and from the beginning when somebody looks again.
    await page.evaluate(() => document.querySelector(".timeline")?.scrollBy(0, -1_500));
    await page.locator(".jump").waitFor();
    await person.hide(false);
    await page.waitForTimeout(1_500);
    assert.deepEqual([await person.unread("walk"), (await dave(here))?.read], [300, 0]);
    await page.locator(".jump").click();
    await person.hasUnread("walk", 0);
    person.noErrors();
  },
);
