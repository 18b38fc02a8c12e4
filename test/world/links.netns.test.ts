/** Worlds whose hosts are joined by TUN, and by veth pairs where TUN is not to be had: nobody can tell which. */
import { readdirSync, readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, vi } from "vitest";
import { hasGoodChecksum } from "../../src/codec/packet.ts";
import { lastAckLost } from "../../src/lab/catalogue/last-ack-lost.ts";
import { Lab } from "../../src/lab/lab.ts";
import { connected } from "../../src/lab/openings.ts";
import { perform, runExperiment } from "../../src/lab/run.ts";
import type { Story } from "../../src/lab/story.ts";
import { NetworkNamespace } from "../../src/linux/network-namespace.ts";
import { addVeth } from "../../src/linux/rtnetlink.ts";
import type { Trace, TraceEvent } from "../../src/trace/trace.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";
import type { LinkKind } from "../../src/world/kernel/port.ts";
import { compile, makeDirectory, removeDirectory } from "../cli/helpers.ts";
import { lacking, testNeeding, type NeedName } from "../support/needs.ts";
import { until } from "../support/until.ts";

const NAMESPACE: NeedName = "a network namespace";
const NEEDS: Record<LinkKind, NeedName[]> = { tun: [NAMESPACE, "/dev/net/tun"], veth: [NAMESPACE] };
const CHILD_SCRIPT = fileURLToPath(new URL("../../dist/lab-process.cjs", import.meta.url));
const FIXTURE = fileURLToPath(new URL("../fixtures/run-last-ack-lost.ts", import.meta.url));

/** A user whom no other test's processes belong to. */
const STRANGER = 54_322;

const worlds: KernelWorld[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const world of worlds.splice(0)) world.close();
});

const newWorld = (link: LinkKind) => new KernelWorld({ childScript: CHILD_SCRIPT, link });

function tell<T>(world: KernelWorld, story: Story<T>): T {
  let next = story.next();
  while (!next.done) next = story.next(perform(world, next.value));
  return next.value;
}

/** What happened at each host, in its order, without what differs from run to run. */
function essence({ events, outcome }: Trace): unknown {
  const line = (event: TraceEvent) => {
    if (event.kind === "state") return `${event.socket}: ${event.from} to ${event.to}`;
    if (event.kind === "segment" && event.packet) {
      const { flags, payloadLength } = event.packet;
      return `${event.fate} ${flags.join(",")} ${payloadLength}`;
    }
    return event.kind === "segment" ? `${event.fate} by ${event.host ?? "the wire"}` : event.kind;
  };
  const of = (host: string) => events.filter((event) => event.host === host).map(line);
  return { client: of("client"), server: of("server"), outcome };
}

testNeeding([NAMESPACE, "/dev/net/tun"], "an experiment is the same story over both", () => {
  const [tun, veth] = (["tun", "veth"] as const).map((link) => essence(runExperiment(lastAckLost, newWorld(link))));
  expect(tun).toMatchObject({ outcome: { status: "done" } });
  expect(veth).toEqual(tun);
});

/** A client sends `length` bytes to a server, which reads them all. */
function* transfer(lab: Lab, family: "IPv4" | "IPv6", mtu: number, length: number): Story<Uint8Array> {
  const { client, server } = yield* lab.hosts({ client: { mtu }, server: { mtu } });
  const [serving, asking] = [yield* server.process("server"), yield* client.process("client")];
  const listener = yield* serving.listen(8000, { address: family === "IPv4" ? "0.0.0.0" : "::" });
  const to = family === "IPv4" ? server.address : server.addresses.at(-1)!;
  const socket = yield* asking.connect(server, 8000, { to });
  const connection = yield* listener.accept();
  const written = yield* asking.begin({ name: "write", fd: socket.fd, data: { repeat: "0123456789", length } });
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = yield* serving.must({ name: "read", fd: connection.fd, length });
    bytes.set(read.bytes!, at);
    at += read.value;
  }
  expect(yield* asking.succeed(written)).toMatchObject({ value: length });
  return bytes;
}

describe.each(["tun", "veth"] as const)("%s", (link) => {
  describe.each(["IPv4", "IPv6"] as const)("%s", (family) => {
    testNeeding(NEEDS[link], "1 MB arrives, in packets no longer than the MTU, each with a right checksum", () => {
      const world = newWorld(link);
      worlds.push(world);
      const seen = { packets: 0, longest: 0, bad: 0 };
      const offer = world.link.offer.bind(world.link);
      vi.spyOn(world.link, "offer").mockImplementation((segment, nowUs) => {
        seen.packets++;
        seen.longest = Math.max(seen.longest, segment.bytes.length);
        if (!hasGoodChecksum(segment.bytes)) seen.bad++;
        return offer(segment, nowUs);
      });
      const bytes = tell(world, transfer(new Lab(world.recorder, world.link), family, 1500, 1_000_000));
      expect(Buffer.from(bytes).equals(Buffer.from("0123456789".repeat(100_000)))).toBe(true);
      expect(seen).toMatchObject({ longest: 1500, bad: 0 });
      expect(seen.packets).toBeGreaterThan(1_000_000 / 1500);
    });
  });

  testNeeding(NEEDS[link], "packets fill a large MTU", () => {
    const world = newWorld(link);
    worlds.push(world);
    tell(world, transfer(new Lab(world.recorder, world.link), "IPv4", 60_000, 1_000_000));
    const lengths = world.recorder.events.map((event) => (event.kind === "segment" ? (event.packet?.length ?? 0) : 0));
    expect(Math.max(...lengths)).toBe(60_000);
  });

  testNeeding(NEEDS[link], "the kind is known when there is a host", () => {
    const world = newWorld(link);
    worlds.push(world);
    world.addHost({ name: "host" });
    expect(world.linkKind).toBe(link);
  });
});

function devices(): string[] {
  const lines = readFileSync("/proc/thread-self/net/dev", "latin1").split("\n").slice(2, -1);
  return lines.map((line) => line.slice(0, line.indexOf(":")).trim());
}

const descriptors = () => readdirSync("/proc/self/fd").length;

describe.each(["tun", "veth"] as const)("%s: nothing is left behind", (link) => {
  testNeeding(NEEDS[link], "even where FINs are never answered", async () => {
    runExperiment(lastAckLost, newWorld(link)); // from now on the process has all that it keeps
    await until("the end of the pairs", () => devices().every((name) => !name.startsWith("lastack")));
    const before = { devices: devices(), descriptors: descriptors() };
    const create = vi.spyOn(NetworkNamespace, "create");
    const world = newWorld(link);
    const lab = new Lab(world.recorder, world.link);
    const { client } = tell(world, connected(lab, { mortal: ["server"] }));
    lab.wire.drop({});
    tell(world, client.socket.write("never acknowledged"));
    // A pair ends with the namespace of either end: these tell when the hosts' are gone.
    const namespaces = create.mock.results.map(({ value }) => value as NetworkNamespace);
    for (const [i, namespace] of namespaces.entries()) {
      const end = (name: string, last: number) => ({ name, address: Uint8Array.of(2, 0, 0, 0, i, last) });
      addVeth(end(`watch${i}`, 1), end("watched", 2), namespace);
    }
    expect(devices()).toEqual(expect.arrayContaining(["watch0", "watch1"]));
    world.close();
    expect(descriptors()).toBe(before.descriptors);
    await until("the end of the hosts' namespaces", () => devices().length === before.devices.length);
    expect(devices()).toEqual(before.devices);
  });
});

/** Runs the experiment in a process that `prefix` puts somewhere; `link` is the kind that it insists on. */
function runUnder(prefix: readonly string[], link?: LinkKind): unknown {
  const command = [...prefix, process.execPath, "--import", "tsx", FIXTURE, ...(link ? [link] : [])];
  const options = { encoding: "utf8", timeout: 20_000 } as const;
  const { stdout, stderr, status } = spawnSync(command[0]!, command.slice(1), options);
  expect([status, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

/** Where /dev/net is what `prepare` (sh) makes of it. */
const withDevNet = (prepare: string) => ["unshare", "--mount", "sh", "-c", `${prepare} && exec "$@"`, "sh"];
const NO_TUN = withDevNet("mount -t tmpfs tmpfs /dev/net");
const done = (kind: LinkKind) => ({ kind, outcome: expect.objectContaining({ status: "done" }) });
const notRun = (reason: RegExp) => ({ outcome: { status: "not run", reason: expect.stringMatching(reason) } });

describe("where TUN is not to be had", () => {
  testNeeding(NEEDS.tun, "with TUN, TUN it is", () => {
    expect(runUnder([])).toEqual(done("tun"));
  });

  testNeeding(NEEDS.tun, "no such file: hosts are joined by veth pairs", () => {
    expect(runUnder(NO_TUN)).toEqual(done("veth"));
  });

  testNeeding([NAMESPACE, "/dev/net/tun", "a second uid"], "not for this user: by veth pairs", () => {
    // No process opens a device on a file system that has none.
    const locked = withDevNet("mount -t tmpfs -o nodev tmpfs /dev/net && mknod /dev/net/tun c 10 200");
    expect(runUnder(locked)).toEqual(done("veth"));
  });

  testNeeding(NEEDS.tun, "one who insists on TUN is told what was refused, and what does without", () => {
    const reason =
      /^needs \/dev\/net\/tun, .* \(openat \/dev\/net\/tun: ENOENT \(2\)\); a link of kind veth does without$/;
    expect(runUnder(NO_TUN, "tun")).toEqual({ kind: "tun", ...notRun(reason) });
  });

  const noPackets = ["setpriv", "--bounding-set", "-net_raw"];

  testNeeding([...NEEDS.veth, "a second uid"], "one who insists on veth is told the same", () => {
    const reason = /^needs veth pairs and packet sockets, .* \(socket: EPERM \(1\)\); a link of kind tun does without$/;
    expect(runUnder(noPackets, "veth")).toEqual({ kind: "veth", ...notRun(reason) });
  });

  testNeeding([...NEEDS.tun, "a second uid"], "neither: both refusals are named", () => {
    const reason =
      /^needs \/dev\/net\/tun, .* \(openat \/dev\/net\/tun: ENOENT \(2\)\), or else veth pairs .* \(socket: EPERM \(1\)\)$/;
    expect(runUnder([...NO_TUN, ...noPackets])).toEqual(notRun(reason));
  });

  testNeeding(
    [NAMESPACE, "a second uid"],
    "an ordinary user, as root of a user namespace, can have veth pairs",
    (context) => {
      const ordinary = ["setpriv", "--reuid", `${STRANGER}`, "--regid", `${STRANGER}`, "--clear-groups"];
      const prefix = [...ordinary, "unshare", "--user", "--map-root-user"];
      const { status } = spawnSync(prefix[0]!, [...prefix.slice(1), "true"], { stdio: "ignore" });
      if (status !== 0) lacking(context, "user namespaces for ordinary users");
      expect(runUnder(prefix, "veth")).toEqual(done("veth"));
    },
  );
});

testNeeding(
  [NAMESPACE, "a C compiler"],
  "where netlink is denied: what was asked for, the answer, what does without",
  () => {
    const directory = makeDirectory();
    try {
      const without = compile("without", `${directory}/without`);
      const reason =
        /^needs netlink, .* \(socket AF_NETLINK: EPERM \(1\); a seccomp filter is on this process, .*; lab run --on model .*$/;
      for (const link of [undefined, "veth"] as const) {
        expect(runUnder([without, "netlink"], link)).toMatchObject(notRun(reason));
      }
    } finally {
      removeDirectory(directory);
    }
  },
);
