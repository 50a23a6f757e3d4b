import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { expectWithin } from "./expect-within.ts";

/** What a person does with the page and sees on it. */
export class ChatPage {
  readonly page: Page;
  readonly user: string;
  readonly #errors: string[] = [];

  private constructor(page: Page, user: string) {
    this.page = page;
    this.user = user;
    page.on("pageerror", (error) => this.#errors.push(`exception: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !isNetwork(message.text())) this.#errors.push(message.text());
    });
  }

  static async open(page: Page, link: string, user: string): Promise<ChatPage> {
    const chat = new ChatPage(page, user);
    await page.goto(link);
    await chat.ready();
    return chat;
  }

  /** The list is shown and the connection is there. */
  async ready(): Promise<void> {
    await this.page.locator(".sidebar").waitFor();
    await this.page.locator('.connection[data-kind="none"]').waitFor({ state: "attached" });
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** Another tab of the same browser. */
  async tab(link: string, user = this.user): Promise<ChatPage> {
    return ChatPage.open(await this.page.context().newPage(), link, user);
  }

  /** Picks somebody from the directory. */
  async writeTo(user: string): Promise<void> {
    await this.page.getByRole("button", { name: "New conversation" }).first().click();
    await this.page.locator(`dialog [data-user="${user}"]`).click();
    await this.page.locator(".composer textarea").waitFor();
  }

  async openConversation(conversation: string): Promise<void> {
    await this.line(conversation).click();
    await this.page.locator(".composer textarea").waitFor();
  }

  line(conversation: string) {
    return this.page.locator(`button.conversation[data-conversation="${conversation}"]`);
  }

  async send(text: string): Promise<void> {
    const field = this.page.locator(".composer textarea");
    await field.fill(text);
    await field.press("Enter");
  }

  /** The texts in the open conversation, top to bottom, without times and names. */
  async texts(): Promise<readonly string[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(".message .message-text")].map((text) => {
        const copy = text.cloneNode(true) as HTMLElement;
        for (const meta of copy.querySelectorAll(".meta")) meta.remove();
        return copy.textContent ?? "";
      }),
    );
  }

  async sees(...texts: readonly string[]): Promise<void> {
    await expectWithin(
      () => this.texts(),
      (shown) => texts.every((text) => shown.includes(text)),
      `${this.user} sees ${texts.join(", ")}`,
    );
  }

  async seesExactly(texts: readonly string[]): Promise<void> {
    const wanted = JSON.stringify(texts);
    await expectWithin(
      () => this.texts(),
      (shown) => JSON.stringify(shown) === wanted,
      `${this.user} sees exactly ${wanted}`,
    );
  }

  /** How far the last message with this text is. */
  async status(text: string): Promise<string | undefined> {
    return (
      (await this.page.locator(".message", { hasText: text }).last().getAttribute("data-status")) ?? undefined
    );
  }

  async hasStatus(text: string, status: string): Promise<void> {
    await expectWithin(
      () => this.status(text),
      (now) => now === status,
      `${this.user}: "${text}" is ${status}`,
    );
  }

  async unread(conversation: string): Promise<number> {
    const [badge] = await this.line(conversation).locator(".badge > [aria-hidden]").allTextContents();
    return Number(badge ?? 0);
  }

  async hasUnread(conversation: string, count: number): Promise<void> {
    await expectWithin(
      () => this.unread(conversation),
      (now) => now === count,
      `${this.user} has ${count} unread in ${conversation}`,
    );
  }

  /** The tab goes behind another one, or comes to the front. A headless browser shows every tab: it is told so. */
  async hide(hidden: boolean): Promise<void> {
    await this.page.evaluate(
      (state) => {
        Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
        Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
      },
      hidden ? "hidden" : "visible",
    );
  }

  noErrors(): void {
    assert.deepEqual(this.#errors, [], `${this.user}'s console is clean`);
  }
}

/** The browser itself logs every connection that fails: that is what the test did to it, not a fault of the page. */
function isNetwork(text: string): boolean {
  return /net::ERR_|WebSocket connection to .* failed|Failed to load resource: the server responded with a status of 50[234]/u.test(
    text,
  );
}
