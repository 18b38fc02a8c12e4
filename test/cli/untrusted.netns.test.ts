/** Text that a hostile process chooses, as its file's name and its arguments, reaches no terminal as it is. */
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { endAll, lastack, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { compile, linesOf, listJson, makeDirectory, removeDirectory } from "./helpers.ts";

const NEEDED = ["a network namespace", "a C compiler"] as const;
/** A colour, a forged line, an order of characters reversed, a title of the window, C1's CSI, a backslash. */
const NAME = "x\u001b[31m\n\u202egpj\u001b]0;\u0007\u009b1m\\";
const ESCAPED = "x\\x1b[31m\\n\\u202egpj\\x1b]0;\\x07\\x9b1m\\\\";
/** What must not be in any output: controls but the line end, and marks that reorder. */
// eslint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

let directory = "";
beforeAll(() => {
  directory = makeDirectory();
  enterNewNetworkNamespace();
});
afterAll(() => removeDirectory(directory));
afterEach(endAll);

/** The hostile process, listening on 127.0.0.1:8000. */
async function hostile(): Promise<Running> {
  const process = new Running([compile("listener", `${directory}/${NAME}`), "8000", "argument\u001b[2J\u202e"]);
  await process.says(/^listens$/m);
  return process;
}

testNeeding(NEEDED, "a hostile name is escaped in the table, and in the one that comes with EADDRINUSE", async () => {
  const { pid } = await hostile();
  const table = lastack(["ls", "8000"]).stdout;
  expect(linesOf(table)).toHaveLength(2);
  expect(table).toContain(` ${ESCAPED}(${pid},fd=`);
  expect(table).not.toMatch(HARMFUL);

  const { stdout, stderr, status } = lastack(["server"]);
  expect(stderr).toContain("EADDRINUSE (98)");
  expect(stderr).toContain(` ${ESCAPED}(${pid},fd=`);
  expect(stdout + stderr).not.toMatch(HARMFUL);
  expect(status).toBe(1);
});

testNeeding(NEEDED, "a hostile name is escaped in a summary, and can be asked for as it is", async () => {
  await hostile();
  const summary = lastack(["ls", "--by", "program"]).stdout;
  expect(linesOf(summary)[0]).toBe(`       1  ${ESCAPED}  LISTEN 1`);
  expect(summary).not.toMatch(HARMFUL);
  expect(listJson("program", NAME).sockets).toHaveLength(1);
});

testNeeding(NEEDED, "JSON keeps a hostile name and arguments exactly, and does no harm on a terminal", async () => {
  const { pid } = await hostile();
  const listed = listJson("8000");
  expect(listed.sockets[0]!.owners).toMatchObject([{ pid, program: NAME }]);
  expect(listed.processes[0]).toMatchObject({ pid, program: NAME });
  expect(listed.processes[0]!.arguments.at(-1)).toBe("argument\u001b[2J\u202e");
  for (const form of ["--json", "--json-lines"]) {
    const { stdout } = lastack(["ls", "8000", form]);
    expect(stdout).not.toMatch(HARMFUL);
  }
});

testNeeding(NEEDED, "words of the command line come back escaped in messages", () => {
  for (const args of [
    ["ls", "time-wat\u001b"],
    ["ls", "pid", "\u001b[31m"],
    ["no\u001b[31mne"],
    ["server", "\u001b[31m"],
  ]) {
    const { stderr, status } = lastack(args);
    expect(stderr).toContain("\\x1b");
    expect(stderr).not.toMatch(HARMFUL);
    expect(status).toBe(2);
  }
});
