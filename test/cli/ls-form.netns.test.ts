/** The forms in which `lastack ls` tells of sockets: table, summary, JSON. */
import { afterAll, beforeAll, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { CLI, lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { linesOf, listJson, run, type ListedSocket } from "./helpers.ts";
import { ALL, describe, makePopulation, POPULATION } from "./population.ts";

const NAMESPACE = ["a network namespace"] as const;

let end = (): void => {};
beforeAll(async () => {
  if (enterNewNetworkNamespace()) end = await makePopulation();
});
afterAll(() => end());

const SUMMARIES: Record<string, string[]> = {
  state: ["3  LISTEN", "2  ESTABLISHED", "1  BOUND", "1  CLOSE-WAIT", "1  FIN-WAIT-2", "1  TIME-WAIT"],
  port: [
    "4  8000  CLOSE-WAIT 1, ESTABLISHED 1, LISTEN 1, TIME-WAIT 1",
    "1  4001  ESTABLISHED 1",
    "1  4002  FIN-WAIT-2 1",
    "1  7000  BOUND 1",
    "1  8080  LISTEN 1",
    "1  9000  LISTEN 1",
  ],
  peer: [
    "4  -  BOUND 1, LISTEN 3",
    "2  127.0.0.1  ESTABLISHED 1, FIN-WAIT-2 1",
    "1  127.0.0.2  ESTABLISHED 1",
    "1  127.0.0.3  CLOSE-WAIT 1",
    "1  127.0.0.4  TIME-WAIT 1",
  ],
  program: ["8  node  BOUND 1, CLOSE-WAIT 1, ESTABLISHED 2, FIN-WAIT-2 1, LISTEN 3", "1  -  TIME-WAIT 1"],
};

/** A summary's line with its states in order: the order of the kernel's table is nobody's promise. */
function sortedStates(line: string): string {
  const [, head, states] = /^ *(\d+ {2}\S+)(?: {2}(.*))?$/.exec(line)!;
  return states === undefined ? head! : `${head}  ${states.split(", ").sort().join(", ")}`;
}

for (const [key, expected] of Object.entries(SUMMARIES)) {
  testNeeding(NAMESPACE, `--summary --by ${key}: a count for each, most first, and the sum`, () => {
    const { stdout, status } = lastack(["ls", "--summary", "--by", key]);
    const lines = linesOf(stdout);
    expect(lines.pop()).toBe("       9  TCP sockets in all; UDP is not looked at");
    const counts = lines.map((line) => Number.parseInt(line, 10));
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(counts.reduce((a, b) => a + b)).toBe(ALL.length);
    const order = (line: string) => `${9 - Number.parseInt(line, 10)}${line}`;
    expect(lines.map(sortedStates).sort((a, b) => order(a).localeCompare(order(b)))).toEqual(
      expected.toSorted((a, b) => order(a).localeCompare(order(b))),
    );
    expect(status).toBe(0);
    expect(lastack(["ls", "--by", key]).stdout).toBe(stdout); // --by alone asks for a summary

    const json = JSON.parse(lastack(["ls", "--by", key, "--json"]).stdout) as {
      groups: { key: string; count: number; states: Record<string, number> }[];
    };
    expect(json).toMatchObject({ schema: 1, by: key, total: ALL.length });
    expect(json.groups.map(({ count }) => count)).toEqual(counts);
    for (const { count, states } of json.groups) expect(Object.values(states).reduce((a, b) => a + b)).toBe(count);
  });
}

testNeeding(NAMESPACE, "--summary counts by state, and only what the words select", () => {
  expect(
    linesOf(lastack(["ls", "--summary", "8000", "time-wait", "close-wait"]).stdout).map((line) => line.trim()),
  ).toEqual([
    expect.stringMatching(/^1 {2}(TIME|CLOSE)-WAIT$/),
    expect.stringMatching(/^1 {2}(TIME|CLOSE)-WAIT$/),
    "2  TCP sockets in all; UDP is not looked at",
  ]);
});

testNeeding(NAMESPACE, "--json is one document of schema 1, with every field of a socket and its processes", () => {
  const listed = listJson();
  expect(listed).toMatchObject({ schema: 1, source: "sock_diag", denied: null, interrupted: false });
  const established = listed.sockets.find((socket) => describe(socket) === POPULATION.established)!;
  expect(established).toMatchObject({
    protocol: "tcp4",
    local: { address: "127.0.0.1", port: 8000 },
    peer: { address: "127.0.0.2", port: 4001 },
    interface: null,
    receiveQueue: 0,
    sendQueue: 0,
    timer: null,
    uid: 0,
    user: "root",
    inode: expect.any(Number),
    cookie: expect.stringMatching(/^[1-9]\d*$/),
    owners: [{ pid: process.pid, fd: expect.any(Number), program: "node" }],
  });
  const timeWait = listed.sockets.find(({ state }) => state === "TIME-WAIT")!;
  expect(timeWait).toMatchObject({ uid: null, user: null, inode: 0, owners: [], timer: { kind: "timewait" } });
  expect(timeWait.timer!.leftMs).toBeGreaterThan(0);
  expect(timeWait.timer!.leftMs).toBeLessThanOrEqual(60_000);
  expect(listed.processes).toMatchObject([{ pid: process.pid, program: "node", uid: 0, user: "root" }]);
  expect(listed.sockets.find(({ local }) => local.port === 9000)).toMatchObject({ protocol: "tcp46", v6only: false });
});

testNeeding(NAMESPACE, "--json-lines is one valid object a line, and the same sockets as --json", () => {
  const { stdout, status } = lastack(["ls", "--json-lines"]);
  const withoutTimer = (socket: ListedSocket) => ({ ...socket, timer: undefined });
  const lines = linesOf(stdout).map((line) => JSON.parse(line) as ListedSocket);
  expect(lines.map(withoutTimer)).toEqual(listJson().sockets.map(withoutTimer));
  expect(lines).toHaveLength(ALL.length);
  expect(status).toBe(0);
});

testNeeding(NAMESPACE, "nothing found is an empty table, an empty list, no line, a sum of 0", () => {
  expect(linesOf(lastack(["ls", "7001"]).stdout)).toHaveLength(1);
  expect(listJson("7001").sockets).toEqual([]);
  expect(lastack(["ls", "7001", "--json-lines"]).stdout).toBe("");
  expect(lastack(["ls", "7001", "--summary"]).stdout).toBe("       0  TCP sockets in all; UDP is not looked at\n");
});

testNeeding(NAMESPACE, "piped output has fixed columns, whatever COLUMNS says and whatever the rows hold", () => {
  const heading =
    "Proto Recv-Q Send-Q Local                 Peer                  State        Timer            User     Owner";
  const whole = lastack(["ls", "--listen"]);
  expect(linesOf(whole.stdout)[0]).toBe(heading);
  for (const columns of ["20", "400"]) {
    const env = { ...process.env, COLUMNS: columns };
    expect(lastack(["ls", "--listen"], { env })).toEqual(whole);
  }
  const at = [...heading.matchAll(/\S+/g)].map(({ index }) => index);
  for (const line of linesOf(lastack(["ls"]).stdout).slice(1)) {
    for (const column of [3, 4, 5, 6, 7, 8]) expect(line.slice(at[column]! - 1)).toMatch(/^ \S/);
  }
});

/** What `lastack ARGS` writes to a terminal of this width. */
function onTerminal(width: number, ...args: string[]): string[] {
  const command = [process.execPath, CLI, ...args].join(" ");
  const script = `stty cols ${width} && exec ${command} 2>/dev/null`;
  const env = { ...process.env, TERM: "xterm-256color", SHELL: "/bin/sh" };
  return linesOf(run(["script", "-qec", script, "/dev/null"], { env, input: "" }).stdout.replaceAll("\r\n", "\n"));
}

testNeeding(
  NAMESPACE,
  "on a terminal lines are cut at its width and end in an ellipsis; with --wide they are whole",
  () => {
    const cut = onTerminal(80, "ls");
    const wide = onTerminal(80, "ls", "--wide");
    expect([cut.length, wide.length]).toEqual([ALL.length + 1, ALL.length + 1]);
    for (const line of cut) expect(line.length).toBeLessThanOrEqual(80);
    expect(cut.filter((line) => line.length === 80 && line.endsWith("…")).length).toBeGreaterThan(4);
    const long = wide.filter((line) => line.length > 80);
    expect(long.length).toBeGreaterThan(4);
    for (const line of long) expect(line).toMatch(/ (node\(\d+,fd=\d+\)|-|Owner)$/);
    expect([...cut, ...wide].join("\n")).not.toContain("\u001b");
    // Wide enough: nothing is cut, and the columns are as wide as what is in them.
    const fitted = onTerminal(300, "ls", "--listen");
    expect(fitted[0]).toMatch(/^Proto Recv-Q Send-Q Local {10}Peer {6}State {2}Timer User Owner$/);
    expect(fitted.join("")).not.toContain("…");
  },
);
