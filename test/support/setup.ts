import fc from "fast-check";
import { afterEach, expect } from "vitest";
import { seed } from "./random.ts";

// Reading them makes every start of Node 40 ms slower; the one test that needs them, npm's, takes them from here.
process.env["LASTACK_TEST_CA_CERTS"] ??= process.env["NODE_EXTRA_CA_CERTS"] ?? "";
delete process.env["NODE_EXTRA_CA_CERTS"];
// What tsx and npm (from Node 22.8 on) would leave in the temporary directory.
process.env["TSX_DISABLE_CACHE"] = "1";
process.env["NODE_DISABLE_COMPILE_CACHE"] = "1";
// A bash that no shell has started takes Node's pipe (a socket) for a connection of rsh, and runs ~/.bashrc.
process.env["SHLVL"] = "2";
fc.configureGlobal({ seed });

// Any warning of the process (a leak, a deprecation) fails the test that caused it.
const warnings: string[] = [];
process.on("warning", (warning) => {
  // Printed by Node when modules of both kinds load each other; not ours.
  if (warning.name !== "ExperimentalWarning") warnings.push(String(warning));
});

afterEach((context) => {
  if (context.task.result?.state === "fail") {
    const file = context.task.file.name;
    process.stderr.write(
      `replay: LASTACK_SEED=${seed} npx vitest run ${file} -t ${JSON.stringify(context.task.name)}\n`,
    );
  }
  expect(warnings.splice(0)).toEqual([]);
});
