import assert from "node:assert/strict";
import { test } from "node:test";
import { skipReason } from "./browser/chromium.ts";
import { expectWithin } from "./browser/expect-within.ts";
import { world } from "./browser/world.ts";

const options = { skip: skipReason, timeout: 180_000 };

test(
  "G1 G3 what is written offline waits with a clock and goes out in order when the network returns",
  options,
  async (t) => {
    const { person, said, network } = await world(t);
    await said("alice:bob", "bob", ["before"]);
    const way = await network();
    const alice = await person("alice", { through: way });
    const bob = await person("bob");
    await alice.openConversation("alice:bob");
    await bob.openConversation("alice:bob");

    await alice.page.context().setOffline(true);
    way.cut();
    await alice.page.locator('.connection[data-kind="offline"]').waitFor();
    await alice.send("first offline");
    await alice.send("second offline");
    await alice.hasStatus("first offline", "queued");
    await alice.hasStatus("second offline", "queued");
    assert.equal(await alice.page.locator(".message .ticks[data-status=queued]").count(), 2);
    await bob.send("meanwhile");

    way.mend();
    await alice.page.context().setOffline(false);
    await alice.hasStatus("second offline", "read");
    await alice.page.locator('.connection[data-kind="none"]').waitFor({ state: "attached" });
    const said_ = ["before", "meanwhile", "first offline", "second offline"];
    await bob.seesExactly(said_);
    await alice.seesExactly(said_);
    for (const one of [alice, bob]) one.noErrors();
  },
);

test(
  "a browser that loses its network says so within 3 s, also where no connection breaks",
  options,
  async (t) => {
    const { person, said, network } = await world(t);
    await said("alice:bob", "bob", ["before"]);
    const way = await network();
    const alice = await person("alice", { through: way });
    await alice.openConversation("alice:bob");
    await alice.send("live");
    await alice.hasStatus("live", "stored");
    // Nothing comes through and nothing is closed, as when a cable is pulled.
    way.hold();
    await alice.page.context().setOffline(true);
    await alice.page.locator('.connection[data-kind="offline"]').waitFor({ timeout: 3_000 });
    way.mend();
    await alice.page.context().setOffline(false);
    await alice.page.locator('.connection[data-kind="none"]').waitFor({ state: "attached", timeout: 3_000 });
    alice.noErrors();
  },
);

test("G1 a message written offline survives closing the page", options, async (t) => {
  const { person, said, link, network } = await world(t);
  await said("alice:bob", "bob", ["before"]);
  const way = await network();
  const alice = await person("alice", { through: way });
  await alice.openConversation("alice:bob");
  await alice.page.context().setOffline(true);
  way.cut();
  await alice.page.locator('.connection[data-kind="offline"]').waitFor();
  await alice.send("written in a tunnel");
  await alice.hasStatus("written in a tunnel", "queued");
  // Durable within moments: the outbox is in the browser's storage before the page is closed.
  await alice.page.waitForTimeout(300);
  await alice.page.close();
  way.mend();
  await alice.page.context().setOffline(false);

  const again = await alice.tab(link("alice", way.url));
  await again.openConversation("alice:bob");
  await expectWithin(
    () => again.status("written in a tunnel"),
    (status) => status === "stored" || status === "delivered",
    "it was sent",
  );
  await again.seesExactly(["before", "written in a tunnel"]);
  again.noErrors();
});

test(
  "G1 G2 G3 G4 the server is killed in the middle of a conversation: nothing is missing, doubled or out of order on any page",
  options,
  async (t) => {
    const { person, said, server } = await world(t);
    await said("alice:bob", "bob", ["before"]);
    const alice = await person("alice");
    const bob = await person("bob");
    await alice.openConversation("alice:bob");
    await bob.openConversation("alice:bob");

    const burst = async (from: typeof alice, name: string) => {
      for (let index = 1; index <= 25; index++) await from.send(`${name} ${index}`);
    };
    const bursts = Promise.all([burst(alice, "alice"), burst(bob, "bob")]);
    await alice.sees("bob 5");
    await server.kill();
    await bursts;
    await alice.page.locator(".connection p").waitFor();
    await server.start();

    await alice.hasStatus("alice 25", "read");
    await bob.hasStatus("bob 25", "read");
    await alice.sees("bob 25");
    await bob.sees("alice 25");
    const [one, other] = [await alice.texts(), await bob.texts()];
    assert.deepEqual(one, other, "both see one order");
    assert.equal(one.length, 51);
    assert.equal(new Set(one).size, 51);
    for (const name of ["alice", "bob"]) {
      const numbers = one
        .filter((text) => text.startsWith(`${name} `))
        .map((text) => Number(text.split(" ")[1]));
      assert.deepEqual(
        numbers,
        Array.from({ length: 25 }, (_, index) => index + 1),
        `${name}'s own order holds`,
      );
    }
    await alice.reload();
    await alice.seesExactly(one);
    for (const page of [alice, bob]) page.noErrors();
  },
);

test(
  "two tabs of one user are one device: one connection, the same on both, and either goes on alone",
  options,
  async (t) => {
    const { person, said, server, link } = await world(t);
    await said("alice:bob", "bob", ["before"]);
    const connections = async () => {
      const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
      return Number(/^hongyan_connections(?:\{[^}]*\})? (\d+)$/mu.exec(metrics)?.[1] ?? Number.NaN);
    };
    const first = await person("alice");
    const second = await first.tab(link("alice"));
    await first.openConversation("alice:bob");
    await second.openConversation("alice:bob");
    await expectWithin(connections, (count) => count === 1, "one connection for two tabs");

    await second.send("from the second tab");
    await first.send("from the first tab");
    await said("alice:bob", "bob", ["answer"]);
    for (const tab of [first, second]) await tab.sees("from the second tab", "from the first tab", "answer");
    assert.deepEqual(await first.texts(), await second.texts());
    await first.hasUnread("alice:bob", 0);
    await second.hasUnread("alice:bob", 0);

    await first.page.close();
    await second.send("alone");
    await expectWithin(
      () => second.status("alone"),
      (status) => status !== "queued",
      "the other tab sends by itself",
    );
    await second.seesExactly(["before", ...(await second.texts()).slice(1, 4), "alone"]);
    for (const tab of [first, second]) tab.noErrors();
  },
);

test(
  "two tabs of one browser can be two people; the token leaves the address bar and a reload works",
  options,
  async (t) => {
    const { person, link } = await world(t);
    const alice = await person("alice");
    const bob = await alice.tab(link("bob"), "bob");
    assert.equal(new URL(alice.page.url()).hash, "");
    await alice.writeTo("bob");
    await alice.send("are you me?");
    await bob.openConversation("alice:bob");
    await bob.sees("are you me?");
    await alice.hasStatus("are you me?", "read");
    await alice.reload();
    await bob.reload();
    await alice.page.locator(".own-name", { hasText: "Alice" }).waitFor();
    await bob.page.locator(".own-name", { hasText: "Bob" }).waitFor();

    // A tab without a token asks who it shall be.
    const third = await alice.page.context().newPage();
    await third.goto(new URL("/", link("alice")).origin);
    await third.getByRole("button", { name: "Continue as alice" }).waitFor();
    await third.getByLabel("Sign-in link or token").fill("nonsense");
    await third.getByRole("button", { name: "Sign in" }).click();
    await third.getByText("This is not a sign-in link or token.").waitFor();
    await third.getByLabel("Sign-in link or token").fill(link("carol"));
    await third.getByRole("button", { name: "Sign in" }).click();
    await third.locator(".own-name", { hasText: "Carol" }).waitFor();
    assert.equal(new URL(third.url()).hash, "");
    for (const one of [alice, bob]) one.noErrors();
  },
);

test(
  "a sign-in that expires says so, keeps what is written, and leads to the sign-in page",
  options,
  async (t) => {
    const { person, said, server, network, link } = await world(t);
    await said("alice:bob", "bob", ["before"]);
    const way = await network();
    const alice = await person("alice", { through: way });
    const { page } = alice;
    await page.goto("about:blank");
    const expiresAt = Date.now() + 8_000;
    await page.goto(`${way.url}/#token=${server.token("alice", undefined, 8_000)}`);
    await alice.ready();
    await alice.openConversation("alice:bob");
    await alice.sees("before");

    await page.context().setOffline(true);
    way.cut();
    await page.locator('.connection[data-kind="offline"]').waitFor();
    await alice.send("kept");
    await alice.hasStatus("kept", "queued");
    // The server allows for clocks that are five seconds apart.
    await expectWithin(
      async () => Date.now(),
      (now) => now > expiresAt + 6_000,
      "the token is over",
    );
    way.mend();
    await page.context().setOffline(false);
    await page.locator('.connection[data-kind="expired"]').waitFor();
    await page.getByRole("button", { name: "Sign in again" }).click();
    await page.getByLabel("Sign-in link or token").fill(link("alice", way.url));
    await page.getByRole("button", { name: "Sign in" }).click();
    await alice.ready();
    await alice.openConversation("alice:bob");
    await alice.seesExactly(["before", "kept"]);
    alice.noErrors();
  },
);
