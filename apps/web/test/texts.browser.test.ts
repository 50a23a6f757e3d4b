import assert from "node:assert/strict";
import { test } from "node:test";
import { skipReason } from "./browser/chromium.ts";
import { expectWithin } from "./browser/expect-within.ts";
import { world } from "./browser/world.ts";

interface Members {
  readonly members: readonly { readonly user: string; readonly delivered: number }[];
}

const options = { skip: skipReason, timeout: 120_000 };

test(
  "hostile texts are shown as they are and do nothing: HTML, right-to-left, towers of marks, 10,000 characters",
  options,
  async (t) => {
    const { person, said, api } = await world(t);
    const hostile = [
      '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>',
      "javascript:alert(1) https://bank.example@evil.example",
      "\u202eturned around",
      `Z${"\u0301\u0323".repeat(300)}`,
      "x".repeat(10_000),
      "\u0645\u0631\u062d\u0628\u0627 \u0628\u0643",
      "\u4f60\u597d\uff0c\u4e16\u754c",
      "{{constructor}} $(1) %s \\u0000 &lt;b&gt;",
    ];
    await api("PUT", "/v1/users/carol", { name: "<b>Carol</b>\u202e" });
    await said("alice:carol", "carol", hostile);
    const alice = await person("alice");
    await alice.openConversation("alice:carol");
    await alice.sees(...hostile.filter((text) => text.length < 5_000));
    const { page } = alice;

    const found = await page.evaluate(() => ({
      hacked: "hacked" in window,
      elements: document.querySelectorAll(
        ".message-text img, .message-text script, .message-text b, .chat-title b",
      ).length,
      links: document.querySelectorAll(".message-text a").length,
      wide: document.documentElement.scrollWidth > innerWidth,
      bubbles: [...document.querySelectorAll<HTMLElement>(".bubble")].every(
        (bubble) => bubble.clientHeight < 3_000 && bubble.scrollWidth <= bubble.clientWidth + 1,
      ),
      name: document.querySelector(".chat-title")?.textContent,
    }));
    assert.deepEqual(found, {
      hacked: false,
      elements: 0,
      links: 0,
      wide: false,
      bubbles: true,
      name: "<b>Carol</b>\u202e",
    });

    const long = page.locator(".message", { hasText: "xxxxxxxx" });
    await long.getByRole("button", { name: "Show all 10,000 characters" }).click();
    await expectWithin(
      () => alice.texts(),
      (texts) => texts.some((text) => text.length === 10_000),
      "the whole text can be seen",
    );

    // Right-to-left text runs from the right within its own bubble.
    const direction = await page.evaluate(() => {
      const text = [...document.querySelectorAll(".message-text")].find((one) =>
        one.textContent?.includes("\u0645\u0631"),
      );
      return text && getComputedStyle(text).direction;
    });
    assert.equal(direction, "rtl");

    await alice.send("<i>mine</i> https://example.org/a?b=c.");
    await alice.sees("<i>mine</i> https://example.org/a?b=c.");
    const link = page.locator(".message-text a");
    assert.deepEqual(
      [await link.getAttribute("href"), await link.getAttribute("rel"), await link.getAttribute("target")],
      ["https://example.org/a?b=c", "noopener noreferrer nofollow", "_blank"],
    );
    alice.noErrors();
  },
);

test(
  "Enter sends, Shift+Enter does not, the Enter of an input method does not; a draft is kept",
  options,
  async (t) => {
    const { person, said } = await world(t);
    await said("alice:bob", "bob", ["hi"]);
    await said("alice:carol", "carol", ["hi"]);
    const alice = await person("alice");
    await alice.openConversation("alice:bob");
    const field = alice.page.locator(".composer textarea");
    const height = (await field.boundingBox())?.height ?? 0;

    await field.pressSequentially("first");
    await field.press("Shift+Enter");
    await field.pressSequentially("second");
    assert.equal(await field.inputValue(), "first\nsecond");
    assert.ok(((await field.boundingBox())?.height ?? 0) > height, "the field grows");
    await field.evaluate((element) => {
      element.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }),
      );
    });
    assert.equal(await field.inputValue(), "first\nsecond", "an input method was composing");

    await alice.openConversation("alice:carol");
    assert.equal(await field.inputValue(), "");
    await alice.line("alice:bob").locator("em", { hasText: "Draft" }).waitFor();
    await alice.page.waitForFunction(() =>
      Object.keys(localStorage).some((key) => key.startsWith("hongyan.draft.")),
    );
    await alice.reload();
    await alice.openConversation("alice:bob");
    assert.equal(await field.inputValue(), "first\nsecond");

    await field.press("Enter");
    await alice.seesExactly(["hi", "first\nsecond"]);
    assert.equal(await field.inputValue(), "");
    alice.noErrors();
  },
);

test(
  "history comes page by page as one scrolls up, without a jump, once each, with a bounded document",
  options,
  async (t) => {
    const { person, said, api } = await world(t);
    const count = 700;
    await said(
      "alice:bob",
      "bob",
      Array.from({ length: count }, (_, index) => `message ${index + 1}${" and more".repeat(index % 17)}`),
    );
    const alice = await person("alice");
    const { page } = alice;
    // Opened while the backlog is still read, the conversation would begin with what came first, at its beginning.
    await expectWithin(
      async () => (await api("GET", "/v1/conversations/alice:bob/members")) as Members,
      ({ members }) => members.some(({ user, delivered }) => user === "alice" && delivered === count),
      "everything has arrived",
    );
    await alice.openConversation("alice:bob");
    await page.locator(".message").first().waitFor();

    // Follows one row in the middle: whatever it moves by that was not asked for by the wheel is a jump.
    await page.evaluate(() => {
      const state = { upPx: 0, downPx: 0, rowsMax: 0 };
      Object.assign(window, { followed: state });
      const list = document.querySelector(".timeline");
      if (list === null) throw new Error("no timeline");
      let last: { row: Element; top: number; content: number } | undefined;
      const frame = () => {
        const box = list.getBoundingClientRect();
        const rows = [...document.querySelectorAll(".message")];
        state.rowsMax = Math.max(state.rowsMax, rows.length);
        if (last?.row.isConnected) {
          const movedPx = last.row.getBoundingClientRect().top - last.top;
          state.upPx = Math.max(state.upPx, -movedPx);
          state.downPx = Math.max(state.downPx, movedPx);
        }
        const row = rows.find((one) => one.getBoundingClientRect().bottom > box.top + 200);
        last = row && { row, top: row.getBoundingClientRect().top, content: list.scrollHeight };
        requestAnimationFrame(frame);
      };
      frame();
    });
    const seen = new Set<string>();
    await page.mouse.move(700, 400);
    await expectWithin(
      async () => {
        const texts = await alice.texts();
        assert.equal(new Set(texts).size, texts.length, "no message twice");
        for (const text of texts) seen.add(text);
        await page.mouse.wheel(0, -900);
        return page.getByText("This is where it begins.").count();
      },
      (atStart) => atStart > 0,
      "the beginning is reached",
    );
    for (const text of await alice.texts()) seen.add(text);
    const { upPx, downPx, rowsMax } = await page.evaluate(
      () => (window as unknown as { followed: { upPx: number; downPx: number; rowsMax: number } }).followed,
    );
    // The wheel moves rows down by 900 px a turn, never up: all else was a jump. A page of rows is higher than two turns.
    assert.ok(upPx < 3, `a row was pushed up by ${upPx} px`);
    assert.ok(downPx <= 1_801, `a row was pushed down by ${downPx} px`);
    assert.equal(seen.size, count, "every message was shown");
    assert.ok(rowsMax <= 300, `${rowsMax} rows in the document`);

    // New messages do not move the reader; the button says how many there are and leads to them.
    const topOfFirst = () =>
      page.evaluate(() => document.querySelector(".message")?.getBoundingClientRect().top);
    // The browser turns the wheel in its own time: the last turn may still be on its way.
    let top = await topOfFirst();
    await expectWithin(
      async () => {
        const before = top;
        await page.waitForTimeout(200);
        top = await topOfFirst();
        return top === before;
      },
      (isStill) => isStill,
      "the list has come to rest",
    );
    await said("alice:bob", "bob", ["newest 1", "newest 2"]);
    const jump = page.locator(".jump");
    await jump.waitFor();
    await expectWithin(
      async () => (await jump.getAttribute("aria-label")) ?? "",
      (label) => label.includes("2 new messages"),
      "the button counts",
    );
    assert.equal(await topOfFirst(), top);
    await jump.click();
    await alice.sees("newest 2");
    await jump.waitFor({ state: "detached" });
    await alice.hasUnread("alice:bob", 0);
    alice.noErrors();
  },
);

test(
  "a conversation opens at its first unread message, also where that is pages back",
  options,
  async (t) => {
    const { person, said } = await world(t);
    await said("alice:bob", "bob", ["read before"]);
    const alice = await person("alice");
    await alice.openConversation("alice:bob");
    await alice.hasUnread("alice:bob", 0);
    await alice.page.goBack();
    await said(
      "alice:bob",
      "bob",
      Array.from({ length: 150 }, (_, index) => `unread ${index + 1}`),
    );
    await alice.hasUnread("alice:bob", 150);
    await alice.reload();
    await alice.openConversation("alice:bob");
    await alice.sees("read before", "unread 1", "unread 150");
    const line = await alice.page.locator(".unread-line").boundingBox();
    const list = await alice.page.locator(".timeline").boundingBox();
    assert.ok(
      line && list && line.y > list.y && line.y < list.y + list.height / 2,
      "the divider is on screen",
    );
    const unread = await alice.unread("alice:bob");
    assert.ok(unread > 100, `${unread} are unread: what is below the screen was not seen`);
    await alice.page.locator(".jump").click();
    await alice.hasUnread("alice:bob", 0);
    alice.noErrors();
  },
);
