/** What is concluded about a host's connections from facts that take too long to make. */
import { expect, test } from "vitest";
import { diagnoseHost } from "../../src/diagnose/host.ts";
import type { HostFacts, HostLook } from "../../src/diagnose/host-facts.ts";

function madeFacts(after: Partial<HostLook>): HostFacts {
  const look: HostLook = {
    closeWait: [],
    timeWait: 0,
    destinations: [],
    fullListeners: [],
    listenOverflows: 0,
    timeWaitOverflows: 0,
  };
  return {
    before: look,
    after: { ...look, ...after },
    spanMs: 3000,
    maxTimeWait: 262_144,
    localPortRange: [32_768, 60_999],
    timeWaitReuse: 0,
    asRoot: true,
    processes: new Map(),
  };
}

test("thousands in TIME-WAIT are no trouble, and said to be none", () => {
  expect(diagnoseHost(madeFacts({ timeWait: 999 }))).toEqual([]);
  const [finding] = diagnoseHost(madeFacts({ timeWait: 60_000 }));
  expect(finding).toMatchObject({
    cause: "time-wait-standing",
    trouble: false,
    headline: "60,000 sockets in TIME-WAIT",
  });
  expect(finding!.detail.join()).toContain("no descriptor and some 250 bytes each");
  expect(diagnoseHost(madeFacts({ timeWait: 250_000 }))[0]!.cause).toBe("time-wait-limit");
});

test("ports towards one destination that run out: how many connections a second they are good for", () => {
  const destination = { from: "10.0.0.1", to: { address: "10.0.0.2", port: 443 }, ports: 28_232, timeWait: 28_000 };
  const [finding] = diagnoseHost(madeFacts({ destinations: [destination] }));
  expect(finding).toMatchObject({ cause: "ports-exhausted", trouble: true });
  expect(finding!.detail.join()).toContain("28,232 ports are good for 470 new connections a second to one destination");
});
