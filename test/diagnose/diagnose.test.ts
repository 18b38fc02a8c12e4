/** What is concluded from facts that this machine does not produce, and from any facts at all. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { diagnose } from "../../src/diagnose/diagnose.ts";
import type { Facts, HolderProcess, PortSocket } from "../../src/diagnose/facts.ts";
import { CAUSES, type Cause } from "../../src/diagnose/finding.ts";
import { parseIp } from "../../src/codec/address.ts";
import { STATES } from "../../src/codec/state.ts";
import { heldBy, madeFacts, madeProcess, madeRequest, madeSocket, NOW_MS, PORT, USUAL } from "../support/facts.ts";

const REFUSED = { errno: "EADDRINUSE" as string | null };
const trial = (errno: string | null) => USUAL.map(({ request }) => ({ request, errno }));

interface Case {
  what: string;
  facts: Facts;
  address?: string;
  cause: Cause;
  headline: RegExp;
  command?: string[];
}

const root = { uid: 0, user: "root" };
const CASES: Case[] = [
  {
    what: "systemd holds the socket, its service too",
    facts: madeFacts(heldBy(madeProcess("systemd", { pid: 1, ...root, parents: [] }), madeProcess("sshd", root))),
    cause: "systemd-socket",
    headline: /^Port 3000 is taken: systemd \(pid 1\) listens on 0\.0\.0\.0:3000: a \.socket unit$/,
    command: [
      "sudo",
      "sh",
      "-c",
      "systemctl stop $(systemctl list-sockets --no-legend | awk '$1 ~ /:3000$/ { print $2, $3 }')",
    ],
  },
  {
    what: "a user's systemd holds it",
    facts: madeFacts(heldBy(madeProcess("systemd", { pid: 900 }))),
    cause: "systemd-socket",
    headline: /systemd \(pid 900\)/,
    command: [
      "sh",
      "-c",
      "systemctl --user stop $(systemctl --user list-sockets --no-legend | awk '$1 ~ /:3000$/ { print $2 }')",
    ],
  },
  {
    what: "podman's monitor holds it for a container that it names",
    facts: madeFacts(heldBy(madeProcess("conmon", { arguments: ["/usr/bin/conmon", "-c", "e1f2", "-n", "shop db"] }))),
    cause: "container-engine",
    headline: /for the container shop db$/,
    command: ["podman", "stop", "shop db"],
  },
  {
    what: "a service of systemd holds it: it is stopped, not killed",
    facts: madeFacts(
      heldBy(madeProcess("nginx", { ...root, unit: "nginx.service", parents: [{ pid: 1, program: "systemd" }] })),
    ),
    cause: "listener",
    headline: /nginx \(pid 4242, root\) listens on 0\.0\.0\.0:3000, running for 2 h$/,
    command: ["sudo", "systemctl", "stop", "nginx.service"],
  },
  {
    what: "a supervisor would start it again: that one is ended",
    facts: madeFacts(heldBy(madeProcess("node", { parents: [{ pid: 77, program: "nodemon" }] }))),
    cause: "listener",
    headline: /node \(pid 4242, alice\)/,
    command: ["lastack", "free", "3000"],
  },
  {
    what: "the kernel's NFS server listens",
    facts: madeFacts({
      port: 2049,
      sockets: [madeSocket({ uid: 0, local: { address: "0.0.0.0", port: 2049 } })],
      kernelServices: ["nfsd"],
    }),
    cause: "kernel-listener",
    headline: /^Port 2049 is taken: the kernel itself listens on 0\.0\.0\.0:2049: nfsd$/,
  },
  {
    what: "nobody at all holds it, and everybody was asked",
    facts: madeFacts({ sockets: [madeSocket()] }),
    cause: "unknown-holder",
    headline: /nobody holds the socket on 0\.0\.0\.0:3000 that can be seen from here$/,
  },
  {
    what: "Windows has it, under WSL",
    facts: madeFacts({ policies: ["WSL"], trials: trial(REFUSED.errno) }),
    cause: "outside-linux",
    headline: /a program of Windows has the port$/,
    command: ["netstat.exe", "-ano"],
  },
  {
    what: "SELinux refuses it",
    facts: madeFacts({ policies: ["SELinux"], trials: trial("EACCES") }),
    cause: "policy",
    headline: /^Port 3000 cannot be bound: .* EACCES: a policy refuses it$/,
    command: ["semanage", "port", "-l"],
  },
  {
    what: "the address is another host's as well",
    facts: madeFacts({ addressTrouble: new Map([["2001:db8::1", "duplicate"]]), trials: trial(null) }),
    address: "2001:db8::1",
    cause: "address-unavailable",
    headline: /duplicate address detection has failed/,
  },
];

test.each(CASES)("$what", ({ facts, address, cause, headline, command }) => {
  const asks = USUAL.map(({ name, request }) => {
    const asked = address === undefined ? request.address : parseIp(address)!;
    return { name, request: { ...request, address: asked, port: facts.port } };
  });
  const diagnosis = diagnose(facts, asks);
  expect(diagnosis.findings[0]).toMatchObject({ cause, blocks: true });
  expect(diagnosis.headline).toMatch(headline);
  expect(diagnosis.answer).toBe("blocked");
  if (command) expect(diagnosis.findings[0]!.remedies.map((remedy) => remedy.command)).toContainEqual(command);
});

/** What a real system showed: the fixture names the command and the system. */
interface Recorded {
  system: string;
  recordings: { command: string; holders: HolderProcess[]; socket: Partial<PortSocket> }[];
}

function recorded(name: string): Recorded["recordings"] {
  const file = readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8");
  return (JSON.parse(file) as Recorded).recordings;
}

const [ROOTLESSPORT, CONMON] = recorded("podman");
const [PROXY, NO_PROXY] = recorded("docker");
const DOCKER = "docker stop $(docker ps --quiet --filter publish=3000)";
const [SYSTEMD, HANDED_ON] = recorded("systemd");
const UNITS = (columns: string) =>
  `systemctl --user stop $(systemctl --user list-sockets --no-legend | awk '$1 ~ /:3000$/ { print ${columns} }')`;

test.each([
  [ROOTLESSPORT, "container-engine", / for a container$/, "podman stop $(podman ps --quiet --filter publish=3000)"],
  [CONMON, "container-engine", / for the container shop$/, ["podman", "stop", "shop"]],
  [PROXY, "container-engine", /docker-proxy \(pid 158, root\) listens .* for the container at 172\.17\.0\.2$/, DOCKER],
  [NO_PROXY, "container-engine", /dockerd \(pid 9, root\) listens on 0\.0\.0\.0:3000 for a container$/, DOCKER],
  [SYSTEMD, "systemd-socket", /^Port 3000 is taken: systemd \(pid 8\) listens .*: a \.socket unit$/, UNITS("$2")],
  [HANDED_ON, "systemd-socket", /^Port 3000 is taken: systemd \(pid 8\) listens .*: a \.socket unit$/, UNITS("$2, $3")],
])("what a real system showed: %j", (recording, cause, headline, command) => {
  const { holders, socket } = recording!;
  const facts = madeFacts({
    asker: { uid: 0, user: "root", mayBindPrivileged: true, ancestors: [] },
    holders: holders.map((process) => ({ ...process, startedAtMs: NOW_MS - 3000 })),
    sockets: [madeSocket({ ...socket, holders: holders.map(({ pid }, i) => ({ pid, fd: 5 + i })) })],
  });
  const diagnosis = diagnose(facts, USUAL);
  expect(diagnosis.headline).toMatch(headline);
  expect(diagnosis.findings[0]).toMatchObject({ cause, blocks: true });
  expect(diagnosis.findings[0]!.remedies[0]!.command).toEqual(
    typeof command === "string" ? ["sh", "-c", command] : command,
  );
});

test("several causes at once: what stays comes before what ends, and nobody promises an end", () => {
  const connection = (state: PortSocket["state"], inode: number): PortSocket =>
    madeSocket({
      state,
      inode,
      local: { address: "127.0.0.1", port: PORT },
      peer: { address: "127.0.0.1", port: 50_000 },
    });
  const waiting = {
    ...connection("TIME-WAIT", 0),
    timer: { kind: "timewait" as const, leftMs: 41_000, retransmits: 0 },
  };
  const leaked = { ...connection("CLOSE-WAIT", 8), holders: [{ pid: 4242, fd: 9 }] };
  const facts = madeFacts({ sockets: [waiting, leaked], holders: [madeProcess("node")] });
  const { findings, freeAtMs } = diagnose(facts, USUAL.slice(0, 1));
  expect(findings.map(({ cause }) => cause)).toEqual(["close-wait", "time-wait"]);
  expect(freeAtMs).toBeUndefined();
  expect(diagnose({ ...facts, sockets: [waiting] }, USUAL.slice(0, 1)).freeAtMs).toBe(NOW_MS + 41_000);
});

test("a trial is believed where the facts are open, and never against a refusal of theirs", () => {
  const waiting = madeSocket({
    state: "TIME-WAIT",
    inode: 0,
    uid: null,
    timer: { kind: "timewait", leftMs: 1, retransmits: 0 },
  });
  const facts = madeFacts({ sockets: [waiting], trials: trial(null) });
  expect(diagnose(facts, USUAL).asks.map(({ answer }) => [answer.outcome, answer.provedBy])).toEqual([
    ["refused", "facts"],
    ["granted", "trial"],
  ]);
});

test("a privileged port is refused to users, not to root, and not below another start", () => {
  const ask = (uid: number) => [{ name: "bind", request: madeRequest({ port: 80, uid }) }];
  const facts = madeFacts({ port: 80 });
  expect(diagnose(facts, ask(1000)).findings[0]!.cause).toBe("privileged-port");
  expect(diagnose(facts, ask(0)).answer).toBe("free");
  const open = madeFacts({ port: 80, settings: { ...facts.settings, unprivilegedPortStart: 80 } });
  expect(diagnose(open, ask(1000)).answer).toBe("free");
});

const endpoint = fc.record({
  address: fc.constantFrom("0.0.0.0", "127.0.0.1", "::", "::1", "*", "::ffff:127.0.0.1"),
  port: fc.constant(PORT),
});
const someSocket: fc.Arbitrary<PortSocket> = fc
  .record({
    state: fc.constantFrom(...STATES.map(({ rfc }) => rfc), "UNKNOWN-14" as const),
    local: endpoint,
    inode: fc.nat(3),
    uid: fc.constantFrom(0, 1000, null),
    held: fc.boolean(),
    timer: fc.constantFrom(
      null,
      { kind: "timewait" as const, leftMs: 5, retransmits: 0 },
      { kind: "persist" as const, leftMs: 5, retransmits: 2 },
    ),
    options: fc.option(fc.record({ reuseAddress: fc.boolean(), reusePort: fc.boolean(), ipv6Only: fc.boolean() }), {
      nil: undefined,
    }),
    quietMs: fc.option(fc.nat(), { nil: undefined }),
  })
  .map(({ held, ...given }) =>
    madeSocket({ ...given, holders: held && given.inode !== 0 ? [{ pid: 4242, fd: given.inode }] : [] }),
  );

test("whatever the facts are: a refusal has a cause that blocks, and every cause is in the order", () => {
  fc.assert(
    fc.property(
      fc.array(someSocket, { maxLength: 6 }),
      fc.constantFrom(null, "EADDRINUSE", "EACCES", "EPERM"),
      fc.boolean(),
      fc.boolean(),
      (sockets, errno, probed, hidden) => {
        const facts = madeFacts({
          sockets,
          holders: [madeProcess("node")],
          trials: probed ? trial(errno) : [],
          unreadable: hidden ? [{ uid: 0, user: "root", processes: 3 }] : [],
        });
        const { answer, headline, findings, asks, unknowns } = diagnose(facts, USUAL);
        expect(headline).toMatch(/^Port 3000 (is|may|cannot)/);
        for (const finding of findings) expect(CAUSES).toContain(finding.cause);
        if (asks.some((ask) => ask.answer.outcome === "refused")) {
          expect(answer).toBe("blocked");
          expect(findings[0]!.blocks, headline).toBe(true);
        }
        if (answer === "unknown") expect(unknowns).not.toEqual([]);
        if (answer === "free") expect(findings[0]!.cause).toBe("free");
      },
    ),
    { numRuns: 2000 },
  );
});

test("docs/causes.md explains every cause, and no other", () => {
  const text = readFileSync(new URL("../../docs/causes.md", import.meta.url), "utf8");
  const headings = [...text.matchAll(/^### (.*?) \(/gm)].flatMap((match) => match[1]!.split(", "));
  expect(headings.sort()).toEqual([...CAUSES].sort());
});
