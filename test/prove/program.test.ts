/** What the results of calls mean to a program. */
import { describe, expect, test } from "vitest";
import { ERRNO } from "../../src/call/errno.ts";
import type { Result } from "../../src/call/call.ts";
import { advance, BEGINNING, type Fault, type ProgramStep } from "../../src/prove/program.ts";

const ALL: readonly Fault[] = ["error", "foreign", "missing"];

function after(step: ProgramStep, result: Result, asked = ALL, read = 0) {
  return advance({ name: "server", steps: [step] }, { ...BEGINNING, read }, result, asked);
}

const fails = (code: "ECONNRESET" | "EADDRNOTAVAIL"): Result => ({ ok: false, errno: ERRNO[code], code });
const got = (text: string): Result => ({ ok: true, value: text.length, bytes: new TextEncoder().encode(text) });
const READ: ProgramStep = { call: { name: "read", fd: 4, length: 20 }, reads: "aaaa" };
const NEXT = { position: { step: 1, read: 0 } };

describe("a read", () => {
  test.each([
    ["a part", got("aa"), 0, { position: { step: 0, read: 2 } }],
    ["the rest", got("aa"), 2, { position: { step: 0, read: 4 } }],
    ["the end, when all has come", got(""), 4, NEXT],
  ])("%s", (_, result, read, expected) => expect(after(READ, result, ALL, read)).toEqual(expected));

  test.each([
    ["the end too early", got(""), 2, "missing", '"aa" has not come'],
    ["bytes of another incarnation", got("ab"), 2, "foreign", 'read "ab" instead of "aa"'],
    ["more than was sent", got("a"), 4, "foreign", "after the end of what was sent"],
    ["an error", fails("ECONNRESET"), 0, "error", "read failed with ECONNRESET"],
  ])("%s is wrong", (_, result, read, fault, because) => {
    expect(after(READ, result, ALL, read)).toEqual({ wrong: { fault, because: expect.stringContaining(because) } });
  });
});

test("an error that was to be expected has the call made again", () => {
  const connect: ProgramStep = {
    call: { name: "connect", fd: 3, address: "10.9.0.2", port: 1 },
    again: ["EADDRNOTAVAIL"],
  };
  expect(after(connect, fails("EADDRNOTAVAIL"))).toEqual({ position: BEGINNING });
  expect(after(connect, fails("ECONNRESET"))).toMatchObject({ wrong: { fault: "error" } });
});

test("SO_ERROR that is not 0 is an error, although the call succeeds", () => {
  const step: ProgramStep = { call: { name: "getsockopt", fd: 4, option: "SO_ERROR" } };
  expect(after(step, { ok: true, value: 0 })).toEqual(NEXT);
  expect(after(step, { ok: true, value: 104 })).toMatchObject({ wrong: { fault: "error" } });
});

test.each([
  ["an error", fails("ECONNRESET"), NEXT],
  ["the end too early", got(""), NEXT],
  ["bytes of another incarnation", got("bb"), { position: BEGINNING }],
])("%s, not asked after or of no concern, does not stop the program", (_, result, expected) => {
  expect(after(READ, result, [])).toEqual(expected);
  expect(after({ ...READ, careless: true }, result)).toEqual(expected);
});
