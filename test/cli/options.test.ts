/** Options mean what they mean to parseArgs of node:util. */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/exit-status.ts";
import { parseOptions } from "../../src/cli/options.ts";

const options = {
  all: { type: "boolean", short: "a" },
  "no-owner": { type: "boolean" },
  port: { type: "string", short: "p" },
  by: { type: "string" },
  set: { type: "string", short: "s", multiple: true },
} as const;

const WORDS = [
  "--all",
  "-a",
  "--no-owner",
  "--port",
  "-p",
  "--by",
  "--",
  "-",
  "8000",
  "x",
  "",
  "-1",
  "-ap",
  "-aa",
  "--set",
  "-s",
];
const MORE = [
  "-p80",
  "-ap80",
  "--port=80",
  "--port=",
  "--by=-1",
  "--by=a=b",
  "--all=yes",
  "--nonsense",
  "-x",
  "-ax",
  "--set=a=1",
  "-sb",
];

/** What comes of a line: the values, or that there are none. */
function outcome(parse: () => { values: object; positionals: string[] }): unknown {
  try {
    const { values, positionals } = parse();
    return { values: { ...values }, positionals };
  } catch (error) {
    return error instanceof UsageError || String((error as { code?: string }).code).startsWith("ERR_PARSE_ARGS")
      ? "refused"
      : error;
  }
}

test("whatever the line: parseArgs finds the same", () => {
  const line = fc.array(fc.constantFrom(...WORDS, ...MORE), { maxLength: 6 });
  fc.assert(
    fc.property(line, fc.boolean(), (args, allowPositionals) => {
      const config = { args, options, allowPositionals };
      expect(outcome(() => parseOptions(config))).toEqual(outcome(() => parseArgs(config)));
    }),
    { numRuns: 5000 },
  );
});

test.each([
  [["--nonsense"], "there is no option --nonsense"],
  [["--nonsense=1"], "there is no option --nonsense"],
  [["--constructor"], "there is no option --constructor"],
  [["-ax"], "there is no option -x"],
  [["--all=yes"], "--all takes no value"],
  [["--port"], "--port needs a value"],
  [["-p"], "-p needs a value"],
  [["--port", "-1"], "--port needs a value; if that is '-1', write --port=-1"],
  [["-p", "-1"], "-p needs a value; if that is '-1', write -p-1"],
])("%j is refused: %s", (args, message) => {
  expect(() => parseOptions({ args, options, allowPositionals: true })).toThrow(new UsageError(message));
});

test("words where none are expected are refused", () => {
  expect(() => parseOptions({ args: ["-a", "8000"], options })).toThrow(/'8000'/);
});
