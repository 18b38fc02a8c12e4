/** The named questions: their answers, and that their counts are always the same. */
import { describe, expect, test } from "vitest";
import { settingOf, type Question } from "../../src/prove/question.ts";
import { search, type Found } from "../../src/prove/search.ts";
import { becauseOf } from "../../src/prove/verdict.ts";
import { questionOf } from "./asked.ts";

const MEMORY = 5e8;

function ask(question: Question): { found: Found; because: string } {
  const setting = settingOf(question);
  const found = search(setting.system, MEMORY);
  return { found, because: found.status === "violated" ? becauseOf(setting, found.counterexample) : "" };
}

const RESET = /^the server, which closed cleanly, has got error 104 \(SO_ERROR\)$/;
const FOREIGN = /^the server has read "bbbbbbbbbbaaaaaaaaaa" instead of "bbbbbbbbbb"/;
const ENDLESS =
  /^the client is in ESTABLISHED, the server is in ESTABLISHED; .* draws an answer from the other, without end$/;
const KILLED = /^the client's write failed with ECONNRESET$/;
const REST = /^the client is in FIN-WAIT-2, the server is in CLOSE-WAIT, for ever$/;

describe("with all assumptions it holds, and without one of them it does not, if that one counts", () => {
  test.each([
    ["last-ack-lost", undefined, undefined],
    ["last-ack-lost", "f1", undefined],
    ["last-ack-lost", "time-wait", RESET],
    ["last-ack-lost", "bounded-losses", RESET],
    ["last-ack-lost", "both-close", REST],
    ["old-duplicate", undefined, undefined],
    ["old-duplicate", "time-wait", FOREIGN],
    ["old-duplicate", "no-abort", FOREIGN],
    ["old-data", "f1", FOREIGN],
    ["old-data", "both-close", undefined],
    ["endless-acks", "rfc5961", ENDLESS],
    ["new-connection-killed", "f1", KILLED],
  ])("%s, without %s", (id, without, expected) => {
    const { found, because } = ask(questionOf(id, without));
    expect(found.status).toBe(expected ? "violated" : "holds");
    if (expected) expect(because).toMatch(expected);
    expect(found.distinct).toBeGreaterThan(500);
    expect(found.generated).toBeGreaterThan(found.distinct);
  });
});

test("TIME-WAIT that is shorter than a lost ACK takes to be made good for is as none", () => {
  const question = questionOf("last-ack-lost");
  expect(ask({ ...question, timeWait: question.msl }).found.status).toBe("violated");
});

test("the same question gives the same counts", () => {
  const counts = () => {
    const { distinct, generated, depth } = ask(questionOf("last-ack-lost")).found;
    return { distinct, generated, depth };
  };
  expect(counts()).toEqual(counts());
});

test("the more the network may do, the more can happen; without any harm nothing needs TIME-WAIT", () => {
  const question = { ...questionOf("last-ack-lost", "time-wait"), harms: [{ strays: 0, copies: 0 }] };
  const calm = ask(question).found;
  expect(calm.status).toBe("holds");
  expect(ask({ ...question, timeWait: 4 }).found.distinct).toBeLessThan(
    ask(questionOf("last-ack-lost")).found.distinct,
  );
});
