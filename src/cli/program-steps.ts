/** How the command line tells the steps of the tutorial's programs, and what stands in the way of one that failed. */
import { networkInterfaces } from "node:os";
import { getSystemErrorMap } from "node:util";
import { LISTEN_MASK } from "../codec/state.ts";
import { interfaceNames } from "../linux/interfaces.ts";
import { readSockets } from "../linux/sockets.ts";
import { StepFailed } from "../programs/steps.ts";
import { escapeForTerminal } from "../view/escape.ts";
import { asRoot } from "./as-root.ts";
import { exitStatusOf } from "./exit-status.ts";
import { holdersOf, listSockets, shortcomings } from "./listing.ts";
import { terminalWidth, writeErr, writeOut } from "./output.ts";

export function say(line: string): void {
  writeOut(`${escapeForTerminal(line)}\n`);
}

/** A busy server leaves thousands of TIME-WAIT. The kernel lists listeners first. */
const MOST_ROWS = 12;

/** What the kernel holds on a local port, as `lastack ls` shows it. */
function tellPort(port: number): void {
  const table = readSockets({ filter: { kind: "port", side: "local", port } });
  const search = holdersOf(table);
  const parts: Uint8Array[] = [];
  const rows = listSockets(table, { search, terminalWidth: terminalWidth() }, (text) => parts.push(text.slice()));
  writeErr(rows === 0 ? `The kernel holds nothing on port ${port}.\n` : `The kernel holds on port ${port}:\n`);
  if (rows > 0) {
    const lines = Buffer.concat(parts).toString().split("\n");
    const shown = lines.slice(0, 1 + Math.min(rows, MOST_ROWS)).join("\n");
    writeErr(`${shown}\n${rows > MOST_ROWS ? `and ${rows - MOST_ROWS} more: lastack ls ${port}\n` : ""}`);
  }
  for (const sentence of shortcomings(table, search)) writeErr(`(${sentence})\n`);
}

function localAddresses(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.map(({ address }) => address).join(", ");
}

/** What to do next, by what the kernel said. */
function advise(code: string, port: number, program: "server" | "client"): void {
  switch (code) {
    case "EADDRINUSE":
      tellPort(port);
      break;
    case "EACCES":
      writeErr(
        `Ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE: take a higher port, or run as root:\n` +
          `  ${asRoot()}\n`,
      );
      break;
    case "EADDRNOTAVAIL":
      writeErr(
        program === "server"
          ? `This host's addresses are ${localAddresses()}; 0.0.0.0 stands for all of IPv4, :: for all.\n`
          : "Either --from is not an address of this host, or no local port is left for a connection to that address and " +
              `port (TIME-WAIT keeps them too): lastack ls ${port} --summary\n`,
      );
      break;
    case "EINVAL":
      writeErr(
        `An address of a link (fe80::…) is one only with its interface, like [fe80::1%eth0]:${port}; there are ` +
          `${interfaceNames().join(", ")}. No TCP socket has one of a group (ff00::/8).\n`,
      );
      break;
    case "ECONNREFUSED": {
      const listening = readSockets({ states: LISTEN_MASK, filter: { kind: "port", side: "local", port } });
      const here = listening.slabs.some(({ length }) => length > 0);
      writeErr(
        here
          ? `Something listens on port ${port} here, but not on that address: lastack ls ${port} --listen\n`
          : `Nothing listens there. On this host: lastack server ${port}\n`,
      );
      break;
    }
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      writeErr("No way leads there, as far as this host knows: ip route\n");
      break;
    default:
      if (program === "client") writeErr(`To see the connection: lastack ls ${port}\n`);
  }
}

/** Tells a failed step with errno by number, name and meaning, then what stands in the way. Returns the exit status. */
export function tellFailure(failure: StepFailed, port: number, program: "server" | "client"): number {
  const meaning = getSystemErrorMap().get(-failure.errno)?.[1];
  writeErr(`${escapeForTerminal(failure.message)}${meaning ? `: ${meaning}` : ""}\n`);
  advise(failure.code, port, program);
  return exitStatusOf(failure);
}
