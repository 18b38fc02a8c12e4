/** What is published, installed as users do: the command and the library. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, type TestContext } from "vitest";
import { CLI, type Outcome } from "../support/cli.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { linesOf, makeDirectory, removeDirectory, run } from "./helpers.ts";

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
  const install = ["npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: process.env["LASTACK_TEST_CA_CERTS"] };
  installed = run([...install, join(tarballs, packed.filename)], { cwd: user, env });
  bin = join(user, "node_modules", ".bin", "lastack");
  script = join(user, "use.mjs");
  writeFileSync(script, LIBRARY_USER);
  run(["chmod", "-R", "a+rX", directory]);
}, 120_000);
afterAll(() => removeDirectory(directory));

test("the tarball holds the program, the library with its types, README and LICENSE, and nothing of the workshop", () => {
  const paths = packed.files.map(({ path }) => path);
  for (const path of ["README.md", "LICENSE", "package.json", "dist/lastack.cjs", "dist/library/node/index.d.ts"]) {
    expect(paths).toContain(path);
  }
  expect(paths.filter((path) => /^dist\/lastack-\w+\.cjs$/.test(path))).toHaveLength(1);
  expect(
    paths.filter((path) => /^(src|test|bench|scripts|node_modules)\/|\.cache|tsconfig|\.test\./.test(path)),
  ).toEqual([]);
});

/** True if it could be installed; a test is skipped where the registry is out of reach. */
function expectInstalled(context: TestContext): void {
  const unreachable = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT|NETUNREACH|NOTCACHED)/.test(installed.stderr);
  if (unreachable) lacking(context, "the npm registry, or its cache");
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
}

function expectToWork(uid?: number): void {
  const as = uid === undefined ? {} : { uid };
  expect(run([bin, "--version"], as)).toMatchObject({
    status: 0,
    stderr: "",
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect(run([bin, "ls"], as)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Proto Recv-Q /) });
  const library = run([process.execPath, script], as);
  expect(library).toMatchObject({ status: 0, stderr: "" });
  expect(linesOf(library.stdout)).toEqual(["LISTEN 127.0.0.1 true true 0", `0 ${uid ?? process.getuid!()} function`]);
}

// By the second uid first: root's first start would leave a code cache.
testNeeding(["a second uid"], "installed by root, the command and the library work for another user", (context) => {
  expectInstalled(context);
  expectToWork(65534);
});

test("installed from the tarball, the command and the library work", (context) => {
  expectInstalled(context);
  expectToWork();
});
