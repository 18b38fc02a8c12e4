/** `lastack predict` as users run it. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { CLI } from "../support/cli.ts";
import { run } from "./helpers.ts";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const files = readdirSync(examples).filter((name) => name.endsWith(".json"));
const RESTART = `${examples}/restart.json`;

const predict = (input: unknown, ...options: string[]) =>
  run([process.execPath, CLI, "predict", "-", ...options], {
    input: typeof input === "string" ? input : JSON.stringify(input),
  });

describe("by the rules", () => {
  test("a refusal names who is the reason, the rule, and its place in the source", () => {
    const { stdout, status } = lastack(["predict", RESTART]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^11 +second +bind 0\.0\.0\.0:8000 +EADDRINUSE \(98\)$/m);
    expect(stdout).toMatch(/because of connection \(TIME-WAIT 127\.0\.0\.1:8000 to 127\.0\.0\.1:\d+\)/);
    expect(stdout).toContain("net/ipv4/inet_connection_sock.c, inet_bind_conflict");
    expect(stdout).toMatch(/^23 +fourth +bind 0\.0\.0\.0:8001 +granted$/m);
  });

  test("JSON has the same", () => {
    const { schema, kernel, answers } = JSON.parse(lastack(["predict", RESTART, "--json"]).stdout);
    expect([schema, kernel]).toEqual([1, null]);
    expect(answers.find(({ step }: { step: number }) => step === 10).predicted).toMatchObject({
      outcome: "refused",
      code: "EADDRINUSE",
      errno: 98,
      sockets: ["connection"],
      rule: { name: "in use", file: "net/ipv4/inet_connection_sock.c", function: "inet_bind_conflict" },
    });
  });

  test("another system answers by its documents, and says that nothing was run", () => {
    const { stdout, status } = lastack(["predict", RESTART, "--os", "macos"]);
    expect(status).toBe(0);
    expect(stdout).toContain("macOS, by its documents; not run");
    expect(stdout).toMatch(/^11 +second +bind 0\.0\.0\.0:8000 +granted$/m);
  });

  test("a step that has nothing to be made with is left out", () => {
    const steps = [
      { call: "socket", socket: "a", family: "IPv4" },
      { call: "accept", socket: "a", as: "b" },
      { call: "close", socket: "b" },
    ];
    const { stdout } = predict({ schema: 1, steps });
    expect(stdout).toMatch(/^2 +a +accept as b +EINVAL \(22\)$/m);
    expect(stdout).toMatch(/^3 +b +close +left out/m);
  });

  test("a title can't write to the terminal", () => {
    const steps = [{ call: "socket", socket: "a", family: "IPv4" }];
    expect(predict({ schema: 1, title: "\u001b[2J", steps }).stdout).toMatch(/^\\x1b\[2J$/m);
  });
});

describe("a bad command line or file", () => {
  test.each([
    [[], /predict takes one file/],
    [[RESTART, "--os", "plan9"], /--os plan9: expected linux, macos, freebsd, windows/],
    [[RESTART, "--on", "paper"], /--on paper: expected kernel/],
    [[RESTART, "--on", "kernel", "--os", "macos"], /leave --os out/],
  ])("%j", (args, problem) => {
    const { stderr, status } = lastack(["predict", ...args]);
    expect(stderr).toMatch(problem);
    expect(status).toBe(2);
  });

  test("says where in the file", () => {
    const { stderr, status } = predict({ schema: 1, steps: [{ call: "listen", socket: "a" }] });
    expect(stderr).toContain("standard input: steps.0.socket: there is no socket 'a' yet");
    expect(status).toBe(2);
  });

  test("a file that is not there", () => {
    expect(lastack(["predict", "/no/such/file"]).status).toBe(1);
  });
});

describe("on the kernel", () => {
  for (const name of files) {
    testNeeding(["a network namespace", "a second uid"], `examples/${name} goes as the rules say`, () => {
      const { stdout, status } = lastack(["predict", `${examples}/${name}`, "--on", "kernel"]);
      expect(stdout).toContain("The kernel did what the rules say.");
      expect(status).toBe(0);
    });
  }

  testNeeding(["a network namespace"], "nothing of it is seen outside its namespace", () => {
    const steps = [
      { call: "socket", socket: "a", family: "IPv4" },
      { call: "bind", socket: "a", address: "127.0.0.1", port: 0 },
      { call: "listen", socket: "a" },
    ];
    const { answers } = JSON.parse(predict({ schema: 1, steps }, "--on", "kernel", "--json").stdout);
    const { port } = answers[1].kernel;
    expect(port).toBeGreaterThan(0);
    expect(answers[1]).toMatchObject({ predicted: { outcome: "granted", port }, agrees: true });
  });

  testNeeding(["a network namespace", "/dev/net/tun"], "a host with a second device", () => {
    const scenario = {
      schema: 1,
      host: { addresses: ["10.9.0.1"] },
      steps: [
        { call: "socket", socket: "a", family: "IPv4", options: { SO_BINDTODEVICE: "wire0" } },
        { call: "bind", socket: "a", address: "10.9.0.1", port: 8000 },
        { call: "socket", socket: "b", family: "IPv4", options: { SO_BINDTODEVICE: "lo" } },
        { call: "bind", socket: "b", address: "0.0.0.0", port: 8000 },
        { call: "socket", socket: "c", family: "IPv4" },
        { call: "connect", socket: "c", address: "10.9.0.2", port: 8000 },
      ],
    };
    const { stdout, status } = predict(scenario, "--on", "kernel");
    expect(stdout).toMatch(/^4 +b +bind 0\.0\.0\.0:8000 +granted +granted$/m);
    expect(stdout).toMatch(/^6 +c +connect 10\.9\.0\.2:8000 +waits +waits$/m);
    expect(status).toBe(0);
  });

  testNeeding(["a second uid"], "an ordinary user gets it too, or hears what would grant it", () => {
    const file = `${examples}/both-families.json`;
    const { stdout, stderr, status } = lastack(["predict", file, "--on", "kernel"], { uid: 65_534, cwd: "/" });
    if (status === 3) expect(stderr).toContain("network namespaces");
    else expect(stdout).toContain("The kernel did what the rules say.");
  });
});
