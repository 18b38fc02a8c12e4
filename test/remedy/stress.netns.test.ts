/** `free` under stress: whatever is around the port and happens in between, nobody but its holders is ended. */
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { run } from "../cli/helpers.ts";
import { testNeeding } from "../support/needs.ts";
import { seed } from "../support/random.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/free-rounds.ts", import.meta.url));
const ROUNDS = 200;

testNeeding(
  ["a network namespace", "a PID namespace"],
  "200 rounds with clients, neighbours, prefork servers and numbers of processes taken over: only the target ends",
  () => {
    const namespaces = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--net"];
    const program = [process.execPath, "--import", "tsx", FIXTURE, String(ROUNDS), String(seed)];
    const { stdout, stderr, status } = run([...namespaces, ...program]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const did = JSON.parse(stdout) as Record<string, number>;
    expect(did).toMatchObject({ rounds: ROUNDS });
    // Each of them happens in one round of four, or more.
    for (const what of ["ended", "refused", "takenOver"]) expect(did[what], what).toBeGreaterThan(10);
  },
  60_000,
);
