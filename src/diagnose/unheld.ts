/** A socket that a process must have, and none that may be looked into does. */
import type { Facts, PortSocket } from "./facts.ts";
import { ASKED } from "./asked.ts";
import type { Finding } from "./finding.ts";
import { OTHER_PORT } from "./remedies.ts";
import { hidingTexts, holdersOf, listText, localText } from "./words.ts";

/** Of connections leftovers.ts tells. */
function isUnheld(facts: Facts, socket: PortSocket): boolean {
  return (socket.state === "LISTEN" || socket.state === "BOUND") && holdersOf(facts, [socket]).length === 0;
}

function hiddenByPermission(facts: Facts, sockets: readonly PortSocket[]): Finding {
  const users = [...new Set(sockets.map(({ uid }) => (uid === null ? "?" : facts.users(uid))))];
  const what = sockets.some(({ state }) => state === "LISTEN") ? "listens" : "holds a socket";
  return {
    cause: "other-users-process",
    blocks: true,
    headline: `a process that may not be looked into ${what} on ${localText(sockets[0]!)}; its socket belongs to ${listText(users)}`,
    detail: hidingTexts(facts),
    sockets,
    remedies: [
      { what: "have root end it; it says first which process that is", command: ["sudo", "lastack", "free", ASKED] },
      OTHER_PORT,
    ],
  };
}

function inMessage(facts: Facts, sockets: readonly PortSocket[]): Finding | undefined {
  const keepers = facts.keepers.filter(({ kind }) => kind === "message");
  if (keepers.length === 0) return undefined;
  const names = keepers.map(({ program, pid, fd }) => `${program} (pid ${pid}), descriptor ${fd}`);
  return {
    cause: "in-flight",
    blocks: true,
    headline: `the listener on ${localText(sockets[0]!)} is in a message that nobody has received yet`,
    detail: [`a descriptor is on its way over a Unix socket of ${listText(names, "or")}`],
    sockets,
    remedies: [
      {
        what: "let the receiver read the message, or end it: the port is free when the Unix socket is closed",
        cost: "what the program has not saved is lost",
        command: ["kill", ...new Set(keepers.map(({ pid }) => String(pid)))],
      },
    ],
  };
}

function inRing(facts: Facts, sockets: readonly PortSocket[]): Finding | undefined {
  const keeper = facts.keepers.find(({ kind }) => kind === "ring");
  if (!keeper) return undefined;
  return {
    cause: "io-uring",
    blocks: true,
    headline: `${keeper.program} (pid ${keeper.pid}) listens on ${localText(sockets[0]!)} through its io_uring, without a descriptor`,
    detail: [`the ring is its descriptor ${keeper.fd}`],
    sockets,
    remedies: [
      {
        what: `end ${keeper.program} (pid ${keeper.pid})`,
        cost: "what the program has not saved is lost",
        command: ["kill", String(keeper.pid)],
      },
    ],
  };
}

const SERVICE_PORTS: Record<string, readonly number[]> = { nfsd: [2049], lockd: [], ksmbd: [445, 139] };

function byKernel(facts: Facts, sockets: readonly PortSocket[]): Finding | undefined {
  const services = facts.kernelServices.filter((name) => {
    const ports = SERVICE_PORTS[name] ?? [];
    return ports.length === 0 || ports.includes(facts.port);
  });
  if (services.length === 0) return undefined;
  return {
    cause: "kernel-listener",
    blocks: true,
    headline: `the kernel itself listens on ${localText(sockets[0]!)}: ${listText(services, "or")}`,
    detail: ["no process holds the socket, and a kernel service of this port runs here"],
    sockets,
    remedies: [{ what: "stop the service (nfs-server, ksmbd)", cost: "its clients lose their mounts" }, OTHER_PORT],
  };
}

function unknownHolder(facts: Facts, sockets: readonly PortSocket[]): Finding {
  const hiding = hidingTexts(facts);
  return {
    cause: "unknown-holder",
    blocks: true,
    headline: `nobody holds the socket on ${localText(sockets[0]!)} that can be seen from here`,
    detail:
      hiding.length > 0
        ? hiding
        : [
            "all processes here were looked into: it may be in another process namespace (a container), or held by the kernel",
          ],
    sockets,
    remedies: [
      hiding.length > 0
        ? { what: "ask again where /proc is mounted" }
        : { what: "ask again on the host, outside of the container" },
      OTHER_PORT,
    ],
  };
}

export function unheldFindings(facts: Facts, blockers: ReadonlySet<PortSocket>): Finding[] {
  const sockets = facts.sockets.filter((socket) => isUnheld(facts, socket) && blockers.has(socket));
  if (sockets.length === 0) return [];
  const visible = inMessage(facts, sockets) ?? inRing(facts, sockets);
  if (visible) return [visible];
  if (facts.unreadable.length > 0 || facts.hidden === "hidepid") return [hiddenByPermission(facts, sockets)];
  return [byKernel(facts, sockets) ?? unknownHolder(facts, sockets)];
}
