import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/postgres/address.ts";

const secret = "Zq9";

test("an address of a database that is wrong is refused with what is wrong, and without its password", () => {
  const faults: readonly [string, RegExp][] = [
    ["", /begin with postgres:\/\//],
    ["localhost", /begin with postgres:\/\//],
    [`hongyan:${secret}@db:5432/hongyan`, /begin with postgres:\/\//],
    [`mysql://root:${secret}@db/hongyan`, /postgres:\/\/ or postgresql:\/\//],
    [`jdbc:postgresql://root:${secret}@db/hongyan`, /postgres:\/\/ or postgresql:\/\//],
    [`postgress://root:${secret}@db/hongyan`, /postgres:\/\/ or postgresql:\/\//],
    [`postgres://hongyan:${secret}#1@db:5432/hongyan`, /%23/],
    [`postgres://hongyan:${secret}/1@db:5432/hongyan`, /%2F/],
    [`postgres://hongyan:${secret}?1@db:5432/hongyan`, /%3F/],
    [`postgres://hongyan:${secret}@1/2@db:5432/hongyan`, /%40/],
    [`postgres://hongyan:${secret}@db:5432/hongyan#1`, /%23/],
    [`postgres://hongyan:${secret}%@db:5432/hongyan`, /%25/],
    [`postgres://hongyan:${secret}@/hongyan`, /no host/],
    [`postgres://hongyan:${secret}@db:hongyan`, /no port: host:5432\/database/],
    [`postgres://hongyan:${secret}@db:99999/hongyan`, /no port/],
    [`postgres://hongyan:${secret}@d b/hongyan`, /cannot be read/],
  ];
  for (const [url, words] of faults)
    assert.throws(
      () => parseAddress(url),
      (error: Error) => {
        assert.match(
          error.message,
          /^The address of PostgreSQL is not of the form postgres:.*database: /,
          url,
        );
        assert.match(error.message, words, url);
        assert.ok(!error.message.includes(secret), url);
        return true;
      },
    );
});

test("what stands for a database is shown without user and password, and what it leaves out is said", () => {
  const places: readonly [string, string][] = [
    [`postgres://hongyan:${secret}@db:5433/chat`, 'PostgreSQL database "chat" at db:5433'],
    [`postgresql://hongyan:${secret}@db/chat?sslmode=disable`, 'PostgreSQL database "chat" at db:5432'],
    [`postgres://hongyan:${secret}%23%40@[::1]:5433/chat`, 'PostgreSQL database "chat" at [::1]:5433'],
    [`postgres://hongyan:${secret}@[::1]/chat`, 'PostgreSQL database "chat" at [::1]:5432'],
    [`postgres://hongyan:p@${secret}@db/chat`, 'PostgreSQL database "chat" at db:5432'],
    ["postgres:///chat?host=/run/postgresql", 'PostgreSQL database "chat" at /run/postgresql:5432'],
    [
      `postgres://hongyan:${secret}@db`,
      'PostgreSQL database "hongyan" (the user\'s name, as the address names no database) at db:5432',
    ],
  ];
  for (const [url, place] of places) assert.equal(parseAddress(url).place, place);
});
