/** What is published, installed as users do: the command and the library. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLI, type Outcome } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { expectFromRegistry, installFromRegistry, linesOf, makeDirectory, removeDirectory, run } from "./helpers.ts";

interface Packed {
  filename: string;
  files: { path: string }[];
}

let directory = "";
let packed: Packed;
let installed: Outcome;
let bin = "";
let script = "";

/** Lists a listener of its own with the library, and tells what it finds. */
const LIBRARY_USER = `
  import { createServer } from "node:net";
  import { processFacts, sockets, SyscallError } from "lastack";
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    const [found, ...more] = sockets({ port, states: ["LISTEN"], owners: true });
    const owned = found.owners.every(({ pid }) => pid === process.pid) && found.owners.length === 1;
    console.log(found.state, found.local.address, found.local.port === port, owned, more.length);
    console.log(sockets({ port, family: 6 }).length, processFacts(process.pid).uid, typeof SyscallError);
    server.close();
  });
`;

beforeAll(() => {
  directory = makeDirectory();
  const tarballs = join(directory, "tarballs");
  const user = join(directory, "user");
  run(["mkdir", tarballs, user]);
  // Without scripts: prepack would build dist/ anew below the tests that run beside this one.
  const pack = ["npm", "pack", "--ignore-scripts", "--json", "--pack-destination", tarballs];
  const answer = run(pack, { cwd: join(CLI, "../..") });
  [packed] = JSON.parse(answer.stdout) as [Packed];
  installed = installFromRegistry(user, "--ignore-scripts", join(tarballs, packed.filename));
  bin = join(user, "node_modules", ".bin", "lastack");
  script = join(user, "use.mjs");
  writeFileSync(script, LIBRARY_USER);
  run(["chmod", "-R", "a+rX", directory]);
}, 120_000);
afterAll(() => removeDirectory(directory));

test("the tarball holds the program, the library with its types, README and LICENSE, and nothing of the workshop", () => {
  const paths = packed.files.map(({ path }) => path);
  for (const path of [
    "README.md",
    "LICENSE",
    "package.json",
    "dist/lastack.cjs",
    "dist/register.cjs",
    "dist/library/node/index.d.ts",
  ]) {
    expect(paths).toContain(path);
  }
  expect(paths.filter((path) => /^dist\/lastack-\w+\.cjs$/.test(path))).toHaveLength(1);
  expect(
    paths.filter((path) => /^(src|test|bench|scripts|node_modules)\/|\.cache|tsconfig|\.test\./.test(path)),
  ).toEqual([]);
});

/** Listens where it listens already, and tells what the error says of it. */
const LISTENS_TWICE = `
  const { createServer } = require("node:http");
  const first = createServer().listen(0, "127.0.0.1", () => {
    const second = createServer().on("error", ({ message, lastack }) => {
      console.log(message.replace(/\\d+/g, "N"), lastack.answer);
      first.close();
    });
    second.listen(first.address().port, "127.0.0.1");
  });
`;

function expectRegisterToWork(as: { uid?: number }): void {
  for (const option of ["--require", "--import"]) {
    const command = [process.execPath, option, "lastack/register", "--eval", LISTENS_TWICE];
    expect(run(command, { ...as, cwd: dirname(script) })).toMatchObject({
      status: 0,
      stderr: "",
      stdout:
        "listen EADDRINUSE: address already in use N.N.N.N:N: this very process (pid N) listens on N.N.N.N:N blocked\n",
    });
  }
}

function expectToWork(uid?: number): void {
  const as = uid === undefined ? {} : { uid };
  expect(run([bin, "--version"], as)).toMatchObject({
    status: 0,
    stderr: "",
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect(run([bin, "ls"], as)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Proto Recv-Q /) });
  expectRegisterToWork(as);
  const library = run([process.execPath, script], as);
  expect(library).toMatchObject({ status: 0, stderr: "" });
  expect(linesOf(library.stdout)).toEqual(["LISTEN 127.0.0.1 true true 0", `0 ${uid ?? process.getuid!()} function`]);
}

// By the second uid first: root's first start would leave a code cache.
testNeeding(["a second uid"], "installed by root, the command and the library work for another user", (context) => {
  expectFromRegistry(context, installed);
  expectToWork(65534);
});

test("installed from the tarball, the command and the library work", (context) => {
  expectFromRegistry(context, installed);
  expectToWork();
});
