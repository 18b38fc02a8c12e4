/** The whole catalogue once more, as a user without privileges: in a user namespace, and by whatever link is to be had. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Trace } from "../../src/trace/trace.ts";
import { copyCli, makeDirectory, removeDirectory, run } from "../cli/helpers.ts";
import { testNeeding } from "../support/needs.ts";

const NOBODY = 65_534;

let directory = "";
let cli = "";
beforeAll(() => {
  directory = makeDirectory();
  cli = copyCli(directory);
  run(["chmod", "-R", "a+rX", directory]);
});
afterAll(() => removeDirectory(directory));

testNeeding(["a network namespace", "a second uid"], "every expectation is met, but for what takes two users", () => {
  const { stdout, stderr, status } = run([process.execPath, cli, "lab", "run", "--all", "--json", "-"], {
    uid: NOBODY,
  });
  expect([stderr, status]).toEqual(["", 0]);
  const { traces } = JSON.parse(stdout) as { traces: Trace[] };
  expect(traces.length).toBeGreaterThan(40);
  const others = traces.filter(({ outcome }) => outcome.status !== "done");
  const reasons = others.map(({ experiment, outcome }) => [experiment.id, "reason" in outcome && outcome.reason]);
  // Where newuidmap and /etc/subuid grant it more than one uid, even that runs.
  const onlyOneUid = reasons.length > 0 ? [["reuseport-other-user", "needs a second uid"]] : [];
  expect(reasons).toEqual(onlyOneUid);
});
