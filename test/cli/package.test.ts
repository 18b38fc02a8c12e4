/** What is published, installed as users do: the command and the library. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { untilFound } from "../node/program.ts";
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
  import { free, listen, predict, processFacts, sockets, SyscallError, waitForPort, why } from "lastack";
  const server = createServer().listen(0, "127.0.0.1", async () => {
    const { port } = server.address();
    const [found, ...more] = sockets({ port, states: ["LISTEN"], owners: true });
    const owned = found.owners.every(({ pid }) => pid === process.pid) && found.owners.length === 1;
    console.log(found.state, found.local.address, found.local.port === port, owned, more.length);
    console.log(sockets({ port, family: 6 }).length, processFacts(process.pid).uid, typeof SyscallError);
    const refused = await listen(createServer(), { port, host: "127.0.0.1", wait: true }).ready.catch((error) => error);
    console.log(why(port).answer, refused.code, refused.lastack.answer, (await free(port)).free);
    await new Promise((resolve) => server.close(resolve));
    await waitForPort(port, { timeoutMs: 10_000 });
    console.log(predict({ steps: [{ call: "socket", socket: "a", family: "IPv4" }] }).answers.length);
  });
`;

/** Uses the types; every line with an error in it must have one. */
const TYPED_USER = `
  import "lastack/register";
  import { free, listen, predict, sockets, waitForPort, why, type Explanation, type Freed } from "lastack";
  import { createServer } from "node:http";
  const explanation: Explanation = why({ port: 3000, address: "::1", ipv6Only: true }, { probe: false });
  export const owner: number | undefined = explanation.sockets[0]?.owners?.[0]?.pid;
  export const freed: Promise<Freed> = free(3000, { onStep: (step) => step.kind === "ended" && step.afterMs });
  const listening = listen(createServer(), { port: 3000, next: 5 });
  listening.on("waiting", ({ freeAtMs }) => console.log(freeAtMs?.toFixed()));
  listening.ready.catch((error: NodeJS.ErrnoException) => error.lastack?.findings[0]?.cause === "time-wait");
  export const states: string[] = sockets({ states: ["LISTEN"] }).map(({ state }) => state);
  void waitForPort(3000, { open: true }).then(({ waitedMs }) => waitedMs.toFixed());
  export const { answers } = predict({ steps: [{ call: "close", socket: "a" }] }, { system: "freebsd" });
  // @ts-expect-error: not a system
  predict({ steps: [] }, { system: "plan9" });
  // @ts-expect-error: not a state
  sockets({ states: ["OPEN"] });
  // @ts-expect-error: not an event
  listening.on("error", () => {});
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
    const told = untilFound(
      () => run(command, { ...as, cwd: dirname(script) }),
      ({ stdout }) => stdout,
    );
    expect(told).toMatchObject({
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
  expect(linesOf(library.stdout)).toEqual([
    "LISTEN 127.0.0.1 true true 0",
    `0 ${uid ?? process.getuid!()} function`,
    "blocked EADDRINUSE blocked false",
    "1",
  ]);
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

test("its types are complete, and hold without any package but Node's types", (context) => {
  expectFromRegistry(context, installed);
  const user = dirname(script);
  writeFileSync(join(user, "typed.mts"), TYPED_USER);
  const root = join(CLI, "../..");
  const options = [
    "--noEmit",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--module",
    "nodenext",
    "--target",
    "es2023",
  ];
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
  expect(run([join(root, "node_modules/.bin/tsc"), ...options, ...types, "typed.mts"], { cwd: user })).toMatchObject({
    status: 0,
    stdout: "",
  });
});
