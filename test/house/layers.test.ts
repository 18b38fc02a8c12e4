/** The lint rule that keeps imports going one way is itself put to the test, with files that break it. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const project = fileURLToPath(new URL("../..", import.meta.url));
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "lastack-layers-"));
  cpSync(join(project, "src"), join(copy, "src"), { recursive: true });
  cpSync(join(project, ".oxlintrc.json"), join(copy, ".oxlintrc.json"));
});

afterAll(() => rmSync(copy, { recursive: true }));

/** What lint says of one file of the copy. */
function lint(file: string, text: string): { status: number | null; output: string } {
  const path = join(copy, "src", file);
  writeFileSync(path, text);
  try {
    const tool = join(project, "node_modules/.bin/oxlint");
    const { status, stdout } = spawnSync(tool, ["-c", ".oxlintrc.json", path], { cwd: copy, encoding: "utf8" });
    return { status, output: stdout };
  } finally {
    rmSync(path);
  }
}

test.each([
  ["codec", "../sys/index.ts"],
  ["codec", "node:fs"],
  ["codec", "koffi"],
  ["bind", "../linux/sockets.ts"],
  ["bind", "../trace/trace.ts"],
  ["bind", "node:os"],
  ["view", "../linux/sockets.ts"],
  ["view", "node:os"],
  ["view/svg", "../../linux/sockets.ts"],
  ["view/html", "node:fs"],
  ["view/ladder", "../../linux/sockets.ts"],
  ["view/ladder", "node:tty"],
  ["call", "../trace/trace.ts"],
  ["call", "node:os"],
  ["diagnose", "../linux/sockets.ts"],
  ["diagnose", "../view/escape.ts"],
  ["diagnose", "node:os"],
  ["linux", "../diagnose/diagnose.ts"],
  ["link", "../trace/trace.ts"],
  ["link", "../lab/world.ts"],
  ["tcp", "../link/link.ts"],
  ["tcp", "../trace/trace.ts"],
  ["tcp", "node:net"],
  ["host", "../trace/trace.ts"],
  ["host", "../link/link.ts"],
  ["host", "../tcp/connection.ts"],
  ["host", "node:net"],
  ["prove", "../lab/world.ts"],
  ["prove", "../world/kernel/host.ts"],
  ["prove", "../view/escape.ts"],
  ["prove", "../trace/recorder.ts"],
  ["prove", "../tcp/connection.ts"],
  ["prove", "node:worker_threads"],
  ["trace", "../link/link.ts"],
  ["trace", "../view/escape.ts"],
  ["lab", "../world/kernel/kernel-world.ts"],
  ["lab", "../linux/sockets.ts"],
  ["lab", "node:timers"],
  ["lab/catalogue", "../../world/kernel/kernel-world.ts"],
  ["lab/catalogue", "../../sys/index.ts"],
  ["world/kernel", "../../view/escape.ts"],
  ["world/model", "../../linux/sockets.ts"],
  ["world/model", "../kernel/host.ts"],
  ["world/model", "../../tcp/connection.ts"],
  ["world/model", "node:fs"],
  ["world/kernel", "../../cli/output.ts"],
  ["world/kernel", "../../sys/socket.ts"],
  ["view", "../lab/world.ts"],
  ["linux", "../world/kernel/host.ts"],
  ["sys", "../codec/address.ts"],
  ["linux", "../sys/ffi.ts"],
  ["linux", "../view/escape.ts"],
  ["linux", "../cli/output.ts"],
  ["linux", "koffi"],
  ["programs", "../linux/sockets.ts"],
  ["programs", "../cli/output.ts"],
  ["remedy", "../cli/output.ts"],
  ["remedy", "../sys/socket.ts"],
  ["remedy", "../view/verdict.ts"],
  ["linux", "../remedy/look.ts"],
  ["diagnose", "../remedy/look.ts"],
  ["node", "../cli/output.ts"],
  ["node", "../view/verdict.ts"],
  ["cli", "../node/index.ts"],
  ["cli", "../sys/socket.ts"],
  ["cli", "koffi"],
])("src/%s must not import %s", (room, imported) => {
  const { status, output } = lint(`${room}/offender.ts`, `import * as x from "${imported}";\nexport const y = x;\n`);
  expect(status, output).not.toBe(0);
  expect(output).toContain("no-restricted-imports");
});

test.each([
  ["codec", "./address.ts"],
  ["bind", "../call/call.ts"],
  ["bind", "../codec/state.ts"],
  ["view", "../codec/address.ts"],
  ["view/svg", "../escape.ts"],
  ["view/html", "../svg/svg.ts"],
  ["view/ladder", "../escape.ts"],
  ["view/ladder", "../../trace/trace.ts"],
  ["call", "../codec/address.ts"],
  ["diagnose", "../codec/address.ts"],
  ["diagnose", "./facts.ts"],
  ["linux", "../diagnose/facts.ts"],
  ["cli", "../diagnose/diagnose.ts"],
  ["link", "../codec/tcp.ts"],
  ["tcp", "../codec/tcp.ts"],
  ["tcp", "./profile.ts"],
  ["host", "../tcp/index.ts"],
  ["host", "../bind/connect.ts"],
  ["prove", "../tcp/index.ts"],
  ["prove", "../host/index.ts"],
  ["world/model", "../../prove/search.ts"],
  ["cli", "../prove/search.ts"],
  ["trace", "../call/call.ts"],
  ["lab", "../link/link.ts"],
  ["lab", "../trace/recorder.ts"],
  ["lab/catalogue", "../openings.ts"],
  ["lab/catalogue", "../../call/errno.ts"],
  ["world/kernel", "../../lab/world.ts"],
  ["world/model", "../../lab/world.ts"],
  ["world/model", "../../host/index.ts"],
  ["world/kernel", "../../linux/sock-diag.ts"],
  ["world/kernel", "../../sys/index.ts"],
  ["cli", "../world/kernel/kernel-world.ts"],
  ["cli", "../lab/run.ts"],
  ["sys", "node:path"],
  ["sys", "./fd.ts"],
  ["linux", "../sys/index.ts"],
  ["linux", "node:fs"],
  ["programs", "../codec/address.ts"],
  ["cli", "../programs/steps.ts"],
  ["cli", "node:timers/promises"],
  ["node", "../linux/sockets.ts"],
  ["node", "../remedy/look.ts"],
  ["node", "../view/escape.ts"],
  ["cli", "../remedy/look.ts"],
  ["remedy", "../diagnose/diagnose.ts"],
  ["remedy", "../linux/facts.ts"],
])("src/%s may import %s", (room, imported) => {
  const { output } = lint(`${room}/guest.ts`, `import * as x from "${imported}";\nexport const y = x;\n`);
  expect(output).not.toContain("no-restricted-imports");
});

const BROWSER_ROOMS = [
  "codec",
  "call",
  "bind",
  "link",
  "trace",
  "lab",
  "lab/catalogue",
  "diagnose",
  "view",
  "view/svg",
  "tcp",
  "host",
  "world/model",
  "prove",
];
const HOST_THINGS = ["Date.now()", "performance.now()", "Math.random()", "process.pid", "Buffer.alloc(1)"];

test.each(BROWSER_ROOMS.map((room, i) => [room, HOST_THINGS[i % HOST_THINGS.length]!] as const))(
  "src/%s, which runs in a browser and repeatably, must not use %s",
  (room, expression) => {
    const { status, output } = lint(`${room}/offender.ts`, `export const y = ${expression};\n`);
    expect(status, output).not.toBe(0);
    expect(output).toMatch(/no-restricted-(globals|properties)/);
  },
);
