import { expect } from "vitest";
import { runExperiment } from "../../../src/lab/run.ts";
import { holds, type Experiment } from "../../../src/lab/experiment.ts";
import { KernelWorld } from "../../../src/world/kernel/kernel-world.ts";
import { testNeeding } from "../../support/needs.ts";

const setting = (parameter: string): Experiment => ({
  id: "setting",
  title: "Sets a parameter",
  claims: [],
  article: "",
  *story(lab) {
    yield* (yield* lab.host("server")).set(parameter, 1);
    return holds("it was set");
  },
});

const run = (experiment: Experiment) => runExperiment(experiment, new KernelWorld({ childScript: "" })).outcome;

testNeeding(
  ["a network namespace", "/dev/net/tun"],
  "an experiment that sets a parameter which the kernel lacks is not run",
  () => {
    expect(run(setting("net.ipv4.tcp_rfc1337")).status).toBe("done");
    expect(run(setting("net.ipv4.tcp_no_such_parameter"))).toEqual({
      status: "not run",
      reason: "needs a kernel with net.ipv4.tcp_no_such_parameter",
    });
  },
);
