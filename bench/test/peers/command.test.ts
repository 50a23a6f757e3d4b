import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../command.ts";

test("what cannot be compared is refused before anything is installed or measured", async () => {
  const refusals: [string[], RegExp][] = [
    [["--peers=carrier-pigeon"], /unknown peer "carrier-pigeon"; there are hongyan, mosquitto, nats/],
    [["--peers", "store"], /scenario "store" is none that is compared with peers; there are direct, fanout/],
    [["--peers", "--rounds", "0"], /--rounds must be a whole number/],
    [["--peers", "--profile"], /--profile goes with neither --peers nor --compare/],
    [["--peers", "--trace", "/no/such/trace"], /there is no such file/],
    [["--trace", "/no/such/trace"], /--trace goes with --peers/],
    [["--peers=mosquitto", "--json", "/no/such/folder/x.json"], /cannot be written/],
  ];
  for (const [args, reason] of refusals) {
    const { code, err } = await run("main", args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, reason);
  }
});
