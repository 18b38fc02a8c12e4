import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;

test("every dependency is pinned to one version", () => {
  for (const group of ["dependencies", "devDependencies"]) {
    for (const [name, version] of Object.entries(manifest[group]!)) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test("the version of the FFI's binary that is opened directly is the pinned one", () => {
  expect(read("src/sys/ffi.ts")).toContain(`const KOFFI_VERSION = "${manifest["dependencies"]!["koffi"]}"`);
});

test("the lock file names no registry host", () => {
  expect(read("package-lock.json")).not.toMatch(/"resolved"/);
});
