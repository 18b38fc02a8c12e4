/** `lastack free`: what blocks is ended, all of it or nothing, and nobody else is. */
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect } from "vitest";
import { usualAsks } from "../../src/remedy/look.ts";
import { NotEnded } from "../../src/remedy/end.ts";
import { resultText } from "../../src/cli/free-text.ts";
import { carryOut, proposeFree } from "../../src/remedy/free.ts";
import { attemptFree, type Attempt } from "../../src/remedy/freed-port.ts";
import { SOCK_NONBLOCK, type Fd } from "../../src/sys/index.ts";
import { compile, makeDirectory, removeDirectory, run, statesOf } from "../cli/helpers.ts";
import { bindsNow, flags, handOver, sockets } from "../diagnose/situation.ts";
import { CLI, endAll, lastack, Running, start } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { until } from "../support/until.ts";
import { free, holder, NAMESPACE, NOBODY, runs } from "./freeing.ts";

const STUBBORN = [
  process.execPath,
  "-e",
  "process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1e6)",
];

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

/** Both ends of a connection to a listener, which another process has, with the accepted end. */
function server(port: number, { connections = 1, command = ["cat"] } = {}): { process: Running; clients: Fd[] } {
  const listener = sockets.listener("0.0.0.0", { port });
  const pairs = Array.from({ length: connections }, () => sockets.pair(listener, "127.0.0.1"));
  const process = handOver([listener, ...pairs.map((pair) => pair.server)], { command });
  return { process, clients: pairs.map(({ client }) => client) };
}

testNeeding(NAMESPACE, "a listener ends, its neighbours and its clients do not", async () => {
  const target = holder(3000);
  const neighbour = holder(3001);
  const { stdout, stderr, status } = free("3000", "--yes");
  expect([stderr, status]).toEqual(["", 0]);
  expect(stdout).toMatch(
    new RegExp(`To end, in this order\\n  cat \\(pid ${target.pid}, root\\): LISTEN 0\\.0\\.0\\.0:3000\\n`),
  );
  expect(stdout).toMatch(/SIGTERM to cat .*\n.* has ended, after 0\.\d s\nPort 3000 is free/);
  expect(bindsNow("0.0.0.0", 3000)).toBe(true);
  expect((await target.ended()).signal).toBe("SIGTERM");
  expect(runs(neighbour)).toBe(true);
});

testNeeding(
  NAMESPACE,
  "its open connections leave nothing that would keep the port: a plain socket gets it at once",
  async () => {
    const { process } = server(3002, { connections: 3 });
    const told = free("3002", "--yes");
    expect(told.stdout).toMatch(/with it: 3 connections/);
    expect(told.stdout).toMatch(/\d sockets? removed\nPort 3002 is free/);
    expect(told.status).toBe(0);
    expect(bindsNow("0.0.0.0", 3002)).toBe(true);
    await process.ended();
  },
);

testNeeding(NAMESPACE, "all who hold a listener end, who started another before that one", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3003 });
  const shell = handOver([fd], { command: ["bash", "-c", "sleep 600 & echo child $!; wait"] });
  const [, child] = await shell.says(/child (\d+)\n/);
  const { stdout, status } = free("3003", "--yes");
  expect(stdout).toMatch(
    new RegExp(`SIGTERM to bash \\(pid ${shell.pid}, root\\)\\nSIGTERM to sleep \\(pid ${child}, root\\)\\n`),
  );
  expect(status).toBe(0);
  await shell.ended();
});

testNeeding(NAMESPACE, "--if: another program, or one beside it, and nobody is ended", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3004 });
  const shell = handOver([fd], { command: ["bash", "-c", "sleep 600 & echo child; wait"] });
  await shell.says(/child/);
  const { stdout, status } = free("3004", "--yes", "--if", "bash");
  expect(stdout).toMatch(/Nothing is ended:\n  not only bash holds it: sleep \(pid/);
  expect(status).toBe(1);
  expect(runs(shell)).toBe(true);
  const cat = holder(3005);
  expect(free("3005", "--yes", "--if", "cat").status).toBe(0);
  expect((await cat.ended()).signal).toBe("SIGTERM");
  expect(free("3004", "--yes").status).toBe(0);
});

/** The server's end of a connection is in TIME-WAIT. */
async function timeWait(port: number): Promise<void> {
  const listener = sockets.listener("0.0.0.0", { port });
  const { client, server: accepted } = sockets.pair(listener, "127.0.0.1");
  listener.close();
  accepted.close();
  client.close();
  await until("TIME-WAIT", () => statesOf(port).includes("TIME-WAIT"));
}

testNeeding(NAMESPACE, "TIME-WAIT is removed by its cookie, the risk told; that of another port stays", async () => {
  for (const port of [3006, 3007]) await timeWait(port);
  const { stdout, status } = free("3006", "--yes");
  expect(stdout).toContain(
    "1 socket in TIME-WAIT: a delayed segment of an old connection may be taken for one of a new one",
  );
  expect(status).toBe(0);
  expect(bindsNow("0.0.0.0", 3006)).toBe(true);
  expect(statesOf(3007)).toContain("TIME-WAIT");
});

testNeeding(
  ["a network namespace", "a second uid"],
  "TIME-WAIT is removed by root alone: the line is there",
  async () => {
    await timeWait(3026);
    const { stdout, status } = lastack(["free", "3026", "--yes"], { uid: NOBODY });
    expect(stdout).toMatch(/stays: it takes CAP_NET_ADMIN \(EPERM\)\n  As root: sudo \/\S+ \/\S+ free 3026 --yes\n/);
    expect(stdout).toMatch(/\nFree by itself in \d+ s\n/);
    expect([status, statesOf(3026)]).toEqual([3, ["TIME-WAIT"]]);
  },
);

testNeeding(
  ["a network namespace", "a C compiler"],
  "where netlink is denied TIME-WAIT stays, and that is why",
  async () => {
    await timeWait(3028);
    const directory = makeDirectory();
    try {
      const without = compile("without", `${directory}/without`);
      const { stdout, status } = run([without, "netlink", process.execPath, CLI, "free", "3028", "--yes"]);
      expect(stdout).toMatch(
        /\nWhat the kernel keeps of connections stays: netlink was refused: socket: EPERM \(1\)\nPort 3028 is taken/,
      );
      expect([status, statesOf(3028)]).toEqual([3, ["TIME-WAIT"]]);
    } finally {
      removeDirectory(directory);
    }
  },
);

/** A connection from `port`, which a browser of its own process has: it was given the port, or had asked for it. */
function outgoing(port: number, { bound }: { bound: boolean }): Running {
  const listener = sockets.listener("127.0.0.1", { port: port + 1000 });
  writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", `${port} ${port}`);
  const { client } = sockets.pair(listener, "127.0.0.1", bound ? { port } : {});
  writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999");
  return handOver([client]);
}

testNeeding(
  NAMESPACE,
  "a client that happens to use the port lives; --connections ends the connection alone",
  async () => {
    const browser = outgoing(3008, { bound: false });
    const first = free("3008", "--yes");
    expect(first.stdout).toMatch(
      /cat \(pid \d+, root\) uses the port for an outgoing connection .*, and is not ended for that\n/,
    );
    expect(first.stdout).toContain("free 3008 --connections");
    expect([first.status, runs(browser)]).toEqual([1, true]);
    expect(free("3008", "--yes", "--connections").status).toBe(0);
    expect(runs(browser)).toBe(true);
    expect(bindsNow("0.0.0.0", 3008)).toBe(true);
  },
);

testNeeding(NAMESPACE, "a client that had bound the port keeps it without its connection, and is named", async () => {
  const browser = outgoing(3009, { bound: true });
  const { stdout, status } = free("3009", "--yes", "--connections");
  expect(stdout).toMatch(/1 socket removed\nPort 3009 is taken: cat \(pid \d+, root\) has bound 127\.0\.0\.1:3009/);
  expect([status, runs(browser)]).toEqual([1, true]);
});

testNeeding(
  NAMESPACE,
  "who ignores SIGTERM gets SIGKILL, when --force-after says so; who is suspended, SIGCONT too",
  async () => {
    const stubborn = handOver([sockets.listener("0.0.0.0", { port: 3013 })], {
      command: STUBBORN,
    });
    await stubborn.says(/ready/);
    const { stdout, status } = free("3013", "--yes", "--force-after", "100ms");
    expect(stdout).toMatch(/SIGTERM to node .*\n(.*\n)*SIGKILL to node/);
    expect(status).toBe(0);
    expect((await stubborn.ended()).signal).toBe("SIGKILL");
    const suspended = holder(3014);
    process.kill(suspended.pid, "SIGSTOP");
    expect(free("3014", "--yes").status).toBe(0);
    expect((await suspended.ended()).signal).toBe("SIGTERM");
  },
);

testNeeding(
  NAMESPACE,
  "off a terminal nothing is done without --yes; --dry-run does nothing; nothing there is said so",
  () => {
    const target = holder(3015);
    const asked = free("3015");
    expect(asked.stderr).toMatch(/nothing was ended: there is no terminal to ask on; --yes/);
    expect(asked.status).toBe(1);
    expect(free("3015", "--dry-run").stdout).toMatch(/To end, in this order/);
    expect(runs(target)).toBe(true);
    const { stdout, status } = free("3016", "--yes");
    expect([stdout.split(".")[0], status]).toEqual(["Nothing was there", 0]);
  },
);

for (const [signal, expected] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  testNeeding(NAMESPACE, `${signal} half-way: it says who has been told to end and has not`, async () => {
    const stubborn = handOver([sockets.listener("0.0.0.0", { port: 3017 })], { command: STUBBORN });
    await stubborn.says(/ready/);
    const interrupted = start(["free", "3017", "--yes"]);
    await interrupted.says(/SIGTERM to node/);
    const { stdout, status } = await interrupted.end(signal);
    expect(stdout).toMatch(/node \(pid \d+, root\): interrupted; it runs still\nPort 3017 is taken/);
    expect([status, runs(stubborn)]).toEqual([expected, true]);
  });
}

testNeeding(NAMESPACE, "who has let go of the port since the look is left alone, and so are all others", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3018 });
  const shell = handOver([fd], { command: ["bash", "-c", "sleep 600 & read go; exec 3<&-; echo gone; read on"] });
  await until("both", () => proposeFree(usualAsks({ port: 3018 })).plan.victims.length === 2);
  const proposal = proposeFree(usualAsks({ port: 3018 }));
  shell.child.stdin!.write("go\n");
  await shell.says(/gone/);
  await expect(carryOut(proposal)).rejects.toThrow(NotEnded);
  expect(runs(shell)).toBe(true);
  const now = proposeFree(usualAsks({ port: 3018 }));
  expect(now.plan.victims.map(({ process: { program } }) => program)).toEqual(["sleep"]);
  expect((await carryOut(now)).after.diagnosis.answer).toBe("free");
  expect(runs(shell)).toBe(true);
});

testNeeding(
  NAMESPACE,
  "who has ended since the look needs no ending: the port is free, and that is the answer",
  async () => {
    const both = [holder(3022), holder(3023)] as const;
    const [gone, next] = [3022, 3023].map(
      (port) => ({ proposal: proposeFree(usualAsks({ port })), did: [] }) as Attempt,
    );
    await both[0].end("SIGKILL");
    await attemptFree(gone!, gone!.proposal.plan, {});
    expect(gone!.error?.code).toBe("ESTALE");
    expect(resultText(gone!, false)).toMatchObject({
      text: expect.stringMatching(/ has ended since; nothing was ended\nPort 3022 is free/) as unknown,
      status: 0,
    });
    holder(3022);
    await attemptFree(gone!, gone!.proposal.plan, {});
    expect(resultText(gone!, false)).toMatchObject({ text: expect.stringMatching(/\nPort 3022 is taken/), status: 1 });
    expect(resultText(next!, false)).toEqual({ text: "Port 3023: nothing was done", status: 1 });
    expect(runs(both[1])).toBe(true);
  },
);

testNeeding(NAMESPACE, "of many holders a few are told, and all end", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3024 });
  const shell = handOver([fd], { command: ["bash", "-c", "for i in {1..20}; do sleep 600 & done; echo all; wait"] });
  await shell.says(/all/);
  const { stdout } = lastack(["why", "3024"]);
  expect(stdout).toMatch(/^Port 3024 is taken: bash .* and 17 processes more hold one listener/);
  expect(stdout).toMatch(/\n  and 13 processes more\n/);
  expect(stdout).toMatch(/ end bash \(pid \d+, root\), .* and 17 processes more \(what the program/);
  expect(free("3024", "--yes").status).toBe(0);
  await shell.ended();
});

testNeeding(NAMESPACE, "two ports of one program, as JSON", async () => {
  const both = handOver([sockets.listener("0.0.0.0", { port: 3019 }), sockets.listener("0.0.0.0", { port: 3020 })]);
  const { stdout, status } = free("3019", "3020", "--yes", "--json");
  const { ports } = JSON.parse(stdout) as {
    ports: {
      before: { answer: string };
      plan: { processes: { pid: number; listens: string[] }[] };
      after: { answer: string };
    }[];
  };
  expect(status).toBe(0);
  expect(ports.map(({ before, after }) => [before.answer, after.answer])).toEqual([
    ["blocked", "free"],
    ["blocked", "free"],
  ]);
  expect(ports[0]!.plan.processes).toMatchObject([{ pid: both.pid, listens: ["0.0.0.0:3020"] }]);
  await both.ended();
});

testNeeding(NAMESPACE, "a group that shares the port by SO_REUSEPORT ends as a whole", async () => {
  const prepare = flags({ reusePort: true });
  const group = Array.from({ length: 3 }, () =>
    handOver([sockets.listener("0.0.0.0", { port: 3021, prepare, flags: SOCK_NONBLOCK })]),
  );
  expect(free("3021", "--yes").status).toBe(0);
  for (const one of group) expect((await one.ended()).signal).toBe("SIGTERM");
});
