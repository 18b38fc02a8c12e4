/** How the command line starts: what it loads, from where, and with which cache. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testNeeding } from "../support/needs.ts";
import { copyCli, linesOf, makeDirectory, removeDirectory, ROOT, run } from "./helpers.ts";

let directory = "";
let cli = "";
beforeAll(() => {
  directory = makeDirectory();
  cli = copyCli(directory);
  writeFileSync(
    join(directory, "watch.cjs"),
    `const { appendFileSync } = require("node:fs");
    const Module = require("node:module");
    const tell = (what) => appendFileSync(process.env.WATCH, what + "\\n");
    const { dlopen } = process;
    process.dlopen = (...args) => (tell("dlopen " + args[1]), dlopen.apply(process, args));
    const load = Module._load;
    Module._load = function (request, ...rest) {
      tell("load " + request);
      return load.call(this, request, ...rest);
    };`,
  );
});
afterAll(() => removeDirectory(directory));

/** What a command line loads: shared objects and modules. */
function loadedBy(...args: string[]): { dlopen: string[]; load: string[]; status: number | null } {
  const file = join(directory, "watched");
  writeFileSync(file, "");
  const env = { ...process.env, WATCH: file };
  const { status } = run([process.execPath, "--require", join(directory, "watch.cjs"), cli, ...args], { env });
  const lines = linesOf(readFileSync(file, "utf8"));
  const of = (kind: string) => lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(kind.length));
  return { dlopen: of("dlopen "), load: of("load "), status };
}

const NO_SYSTEM_CALL: readonly (readonly [args: string[], status: number])[] = [
  [["--help"], 0],
  [["--version"], 0],
  [["ls", "--help"], 0],
  [["help", "server"], 0],
  [[], 2],
  [["nonsense"], 2],
  [["ls", "80x"], 2],
  [["server", "::1:80"], 2],
  [["client", "--nonsense"], 2],
];

for (const [args, status] of NO_SYSTEM_CALL) {
  test(`lastack ${args.join(" ")} loads no FFI`, () => {
    const loaded = loadedBy(...args);
    expect(loaded.load).not.toEqual([]); // the watch works
    expect(loaded.dlopen).toEqual([]);
    expect(loaded.load.filter((name) => name.includes("koffi"))).toEqual([]);
    expect(loaded.status).toBe(status);
  });
}

test("lastack ls loads the FFI's binary once, and none of its JavaScript", () => {
  const { dlopen, load, status } = loadedBy("ls", "--listen");
  expect(dlopen).toEqual([expect.stringMatching(/\/koffi\.node$/)]);
  expect(load.filter((name) => name.includes("koffi"))).toEqual([]);
  expect(status).toBe(0);
});

test("without the FFI's binary where npm puts it, koffi's own loader is asked", () => {
  const elsewhere = makeDirectory();
  try {
    const copy = copyCli(elsewhere);
    const packages = join(elsewhere, "node_modules", "@koromix");
    rmSync(packages, { recursive: true });
    const { stderr, status } = run([process.execPath, copy, "ls", "--listen"]);
    expect(stderr).toMatch(/koffi/i);
    expect(status).not.toBe(0);
  } finally {
    removeDirectory(elsewhere);
  }
});

const works = { status: 0, signal: null, stdout: expect.stringMatching(/^Proto Recv-Q /) };

test("it runs from any working directory, and through a link as npm makes them", () => {
  expect(run([process.execPath, join("dist", basename(cli)), "ls"], { cwd: directory })).toMatchObject(works);
  expect(run([process.execPath, cli, "ls"], { cwd: "/" })).toMatchObject(works);
  const bin = join(directory, "bin");
  mkdirSync(bin);
  symlinkSync(`../dist/${basename(cli)}`, join(bin, "lastack"));
  expect(run([join(bin, "lastack"), "ls"], { cwd: "/" })).toMatchObject(works); // it is executable
  expect(run(["lastack", "ls"], { env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` } })).toMatchObject(
    works,
  );
});

testNeeding(["a second uid"], "it runs where it may not write, leaves nothing behind, and says nothing of it", () => {
  for (const name of caches()) rmSync(join(dirname(cli), name));
  expect(run([process.execPath, cli, "ls"], { uid: 65534 })).toMatchObject(works);
  expect(run([process.execPath, cli, "--version"], { uid: 65534 })).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(dirname(cli)).filter((name) => !name.endsWith(".cjs"))).toEqual([]);
});

function caches(): string[] {
  return readdirSync(dirname(cli)).filter((name) => name.endsWith(".cache"));
}

/** A cache as this Node leaves it. */
function freshCache(): { path: string; bytes: Buffer } {
  for (const name of caches()) rmSync(join(dirname(cli), name));
  run([process.execPath, cli, "ls"]);
  const names = caches();
  expect(names).toHaveLength(1);
  const path = join(dirname(cli), names[0]!);
  return { path, bytes: readFileSync(path) };
}

function expectToWork(): void {
  expect(run([process.execPath, cli, "ls"])).toMatchObject(works);
}

test("the first start leaves a code cache, alone, and the next ones take it as it is", () => {
  const { path, bytes } = freshCache();
  expectToWork();
  expect(readFileSync(path)).toEqual(bytes);
  expect(readdirSync(dirname(cli)).filter((name) => !name.endsWith(".cjs"))).toEqual([basename(path)]);
});

test("a run of another kind adds to the cache what it has compiled, once", () => {
  const { path, bytes } = freshCache();
  const runJson = () => expect(run([process.execPath, cli, "ls", "--json"]).status).toBe(0);
  runJson();
  const more = readFileSync(path);
  expect(more.length).toBeGreaterThan(bytes.length);
  runJson();
  expectToWork();
  expect(readFileSync(path)).toEqual(more);
});

test("a start that asks the kernel nothing leaves none: it would lack what the others need", () => {
  for (const name of caches()) rmSync(join(dirname(cli), name));
  expect(run([process.execPath, cli, "--version"])).toMatchObject({ status: 0, stderr: "" });
  expect(caches()).toEqual([]);
});

test("a truncated or foreign code cache does no harm, and is replaced", () => {
  const { path, bytes } = freshCache();
  for (const length of [0, 1, 16, bytes.length >> 1, bytes.length - 1]) {
    writeFileSync(path, bytes);
    truncateSync(path, length);
    expectToWork();
    expect(readFileSync(path).length, `after one of ${length} bytes`).toBeGreaterThan(bytes.length / 2);
  }
  for (const other of [Buffer.alloc(bytes.length), Buffer.from("not a cache")]) {
    writeFileSync(path, other);
    expectToWork();
    expect(readFileSync(path).equals(other)).toBe(false);
  }
});

test("a damaged code cache does no harm, and is replaced", () => {
  const { path, bytes } = freshCache();
  // A disk block of zeros, as a power cut leaves them, here and there in the file; then single bytes.
  for (let at = 1024; at < bytes.length; at += 16_384) {
    writeFileSync(path, Buffer.from(bytes).fill(0, at, Math.min(at + 4096, bytes.length)));
    expectToWork();
    expect(
      readFileSync(path)
        .subarray(at, at + 4096)
        .some((byte) => byte !== 0),
    ).toBe(true);
  }
  for (let at = 64; at < bytes.length; at += 16_411) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x55;
    writeFileSync(path, damaged);
    expectToWork();
  }
}, 60_000);

test("a code cache that cannot be read is done without", () => {
  const { path } = freshCache();
  rmSync(path);
  mkdirSync(path);
  expectToWork();
  expect(existsSync(path)).toBe(true);
  expect(readdirSync(dirname(cli)).filter((name) => !name.endsWith(".cjs"))).toEqual([basename(path)]);
  rmSync(path, { recursive: true });
});

test("on another system what needs no kernel runs, and the rest says what it takes", () => {
  const other = join(directory, "other-system.cjs");
  writeFileSync(other, 'Object.defineProperty(process, "platform", { value: "darwin" });');
  const there = (...args: string[]) => run([process.execPath, "--require", other, cli, ...args]);
  for (const args of [
    ["lab", "run", "last-ack-lost", "--on", "model"],
    ["prove", "last-ack-lost"],
    ["predict", join(ROOT, "examples/restart.json"), "--os", "macos"],
    ["--version"],
  ]) {
    const { stderr, status } = there(...args);
    expect({ args, stderr, status }).toEqual({ args, stderr: "", status: 0 });
  }
  for (const args of [
    ["ls"],
    ["why", "8000"],
    ["free", "8000"],
    ["wait", "8000"],
    ["reuse", "8000"],
    ["server"],
    ["lab", "run", "restart"],
  ]) {
    const { stderr, status } = there(...args);
    expect({ args, stderr, status }).toEqual({
      args,
      stderr: expect.stringContaining("the system is darwin (ENOSYS)") as unknown,
      status: 3,
    });
  }
});
