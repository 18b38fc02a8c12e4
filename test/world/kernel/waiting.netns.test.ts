/**
 * Who goes on first of several processes that wait on one socket, asked of the running kernel by processes that sleep in
 * their calls. The kernel's world can't tell: what blocks there is made again and again, in the order that is tested here.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../../src/linux/namespace.ts";
import { linkUp } from "../../../src/linux/rtnetlink.ts";
import { compile, makeDirectory, removeDirectory } from "../../cli/helpers.ts";
import { WAITING } from "../../host/waiters.ts";
import { lacking, testNeeding } from "../../support/needs.ts";

const directory = makeDirectory();
beforeAll(() => {
  if (enterNewNetworkNamespace()) linkUp("lo", { mtu: 65_536 });
});
afterAll(() => removeDirectory(directory));

const NOT_ALLOWED = 2;

for (const { name, what, returns } of WAITING) {
  testNeeding(["a network namespace", "a C compiler"], `${name}: ${what}`, (context) => {
    const program = compile("waiters", join(directory, name));
    const { status, stdout, stderr } = spawnSync(program, [name], { encoding: "utf8", timeout: 60_000 });
    if (status === NOT_ALLOWED) lacking(context, "leave to use SCHED_FIFO");
    expect({ status, stderr, returns: stdout.trim().split("\n") }).toEqual({ status: 0, stderr: "", returns });
  });
}
