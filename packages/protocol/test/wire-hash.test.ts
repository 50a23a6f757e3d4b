import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { closeCodes, errors, protocolVersion, schemas } from "@hongyan/protocol";

/**
 * One hash for each version that was released. A change that is allowed without a new version (see `version.ts`:
 * an optional field at the end, a new frame type, a new error or close code) changes the hash and nothing else:
 * then write the new one here, and the change into `docs/protocol.md`.
 */
const hashes: Readonly<Record<number, string>> = {
  1: "6ef225644cbac33f",
};

test("the wire is the one of its version", () => {
  const wire = JSON.stringify({
    frames: schemas.map(({ code, type, direction, places, hasBody }) => ({
      code,
      type,
      direction,
      hasBody,
      fields: places.map(({ name, kind, optional, max }) => ({ name, kind, optional, max })),
    })),
    errors: Object.entries(errors).map(([name, { code, retry }]) => ({ name, code, retry })),
    closeCodes: Object.entries(closeCodes).map(([name, { code }]) => ({ name, code })),
  });
  const hash = createHash("sha256").update(wire).digest("hex").slice(0, 16);
  assert.equal(
    hash,
    hashes[protocolVersion],
    "the wire has changed: read packages/protocol/src/version.ts first",
  );
});

test("codes are unique, and a reply's code is its command's + 64", () => {
  assert.equal(new Set(schemas.map((schema) => schema.code)).size, schemas.length);
  for (const schema of schemas) {
    if (schema.direction === "command") assert.ok(schema.code < 64, schema.type);
    if (schema.direction === "push") assert.ok(schema.code >= 128, schema.type);
    if (schema.direction !== "reply" || schema.type === "error") continue;
    const command = schemas.find((row) => `${row.type}.ok` === schema.type);
    assert.equal(schema.code, (command?.code ?? 0) + 64, schema.type);
  }
  for (const table of [errors, closeCodes]) {
    const codes = Object.values(table).map((row) => row.code);
    assert.equal(new Set(codes).size, codes.length);
  }
});
