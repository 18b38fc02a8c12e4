/** What is wrong with a host's connections: what grew between two looks, and what is near a limit. */
import { formatEndpoint, parseIp } from "../codec/address.ts";
import type { Remedy } from "./finding.ts";
import type { Destination, FullListener, HostFacts } from "./host-facts.ts";
import { listText, plural, spanText, wholeNumber } from "./words.ts";

export const HOST_CAUSES = [
  "ports-exhausted",
  "accept-queue-full",
  "close-wait-growth",
  "time-wait-limit",
  "close-wait-standing",
  "time-wait-standing",
] as const;
export type HostCause = (typeof HOST_CAUSES)[number];

export interface HostFinding {
  cause: HostCause;
  /** False: it is there, and does no harm yet. */
  trouble: boolean;
  headline: string;
  detail: readonly string[];
  remedies: readonly Remedy[];
}

const sudo = ({ asRoot }: HostFacts) => (asRoot ? [] : ["sudo"]);

/** From this share of a limit on it is told. */
const NEAR = 0.8;
/** So many in TIME-WAIT are told of, though they do no harm. */
const MANY = 1000;
const TIME_WAIT_S = 60; // TCP_TIMEWAIT_LEN, include/net/tcp.h

function processName({ processes }: HostFacts, pid: number | null): string {
  const process = pid === null ? undefined : processes.get(pid);
  if (pid === null) return "a process that may not be looked into";
  return process ? `${process.program} (pid ${pid}, ${process.user})` : `pid ${pid}`;
}

function closeWait(facts: HostFacts): HostFinding[] {
  const before = new Map(facts.before.closeWait.map(({ pid, count }) => [pid, count]));
  return facts.after.closeWait.map(({ pid, count }) => {
    const grown = count - (before.get(pid) ?? 0);
    const growing = grown > 0;
    const name = processName(facts, pid);
    const span = spanText(facts.spanMs);
    return {
      cause: growing ? "close-wait-growth" : "close-wait-standing",
      trouble: growing,
      headline: growing
        ? `${name} leaks connections: ${plural(count, "socket")} in CLOSE-WAIT, ${grown} more within ${span}`
        : `${name} has ${plural(count, "socket")} in CLOSE-WAIT, not more within ${span}`,
      detail: ["the peers have closed, and the program has not called close: no timer and no setting ends these"],
      remedies:
        pid === null
          ? [{ what: "ask again as root, to see which process it is" }]
          : [
              { what: "see them, with their peers", command: ["lastack", "ls", "close-wait", "pid", String(pid)] },
              { what: "mend the program: close when read says 0; until then only its restart helps" },
            ],
    };
  });
}

/** True if the kernel takes ports from TIME-WAIT for this destination again, after a second (tcp_twsk_unique). */
function reuses(facts: HostFacts, { to }: Destination): boolean {
  const bytes = parseIp(to.address);
  const loopback =
    bytes !== undefined && (bytes.length === 4 ? bytes[0] === 127 : to.address === "::1" || bytes[12] === 127);
  return facts.timeWaitReuse === 1 || (facts.timeWaitReuse === 2 && loopback);
}

function exhaustion(facts: HostFacts): HostFinding[] {
  const [least, most] = facts.localPortRange;
  const all = most - least + 1;
  return facts.after.destinations
    .filter(({ ports }) => ports >= NEAR * all)
    .map((destination) => {
      const { from, to, ports, timeWait } = destination;
      const heals = reuses(facts, destination);
      const left = all - ports;
      return {
        cause: "ports-exhausted" as const,
        trouble: !(heals && timeWait > left),
        headline:
          `${wholeNumber(ports)} of ${wholeNumber(all)} ports are in use from ${from} to ` +
          `${formatEndpoint(to.address, to.port)}${left === 0 ? ": connect answers EADDRNOTAVAIL" : ""}`,
        detail: [
          `${wholeNumber(timeWait)} of them in TIME-WAIT, ${heals ? "whose ports are taken again after a second" : "for 60 s each"}`,
          "it is about this destination alone: others can still be reached",
          `a port that waits for ${TIME_WAIT_S} s serves once in that time: ${plural(all, "port")} are good for ` +
            `${Math.floor(all / TIME_WAIT_S)} new connections a second to one destination`,
        ],
        remedies: [
          { what: "keep connections open and use them again, instead of one for each request" },
          ...(heals || timeWait === 0
            ? []
            : [
                {
                  what: "let ports in TIME-WAIT be taken again after a second, for outgoing connections (needs timestamps)",
                  cost: "none that is known, with timestamps",
                  command: [...sudo(facts), "sysctl", "-w", "net.ipv4.tcp_tw_reuse=1"],
                },
              ]),
          {
            what: "widen the range",
            cost: "servers that listen in it may find their port taken",
            command: [...sudo(facts), "sysctl", "-w", "net.ipv4.ip_local_port_range=10240 65535"],
          },
          { what: "if the program binds an address before connect: IP_BIND_ADDRESS_NO_PORT" },
        ],
      };
    });
}

function manyTimeWait(timeWait: number): HostFinding {
  return {
    cause: "time-wait-standing",
    trouble: false,
    headline: `${plural(timeWait, "socket")} in TIME-WAIT`,
    detail: [
      "they hold no descriptor and some 250 bytes each: it is the ports towards one destination that can run out, for clients",
    ],
    remedies: [],
  };
}

function timeWaitLimit(facts: HostFacts): HostFinding[] {
  const { timeWait, timeWaitOverflows } = facts.after;
  const skipped = timeWaitOverflows - facts.before.timeWaitOverflows;
  if (timeWait < NEAR * facts.maxTimeWait && skipped === 0) return timeWait < MANY ? [] : [manyTimeWait(timeWait)];
  const how = `${wholeNumber(timeWait)} of at most ${wholeNumber(facts.maxTimeWait)} sockets in TIME-WAIT`;
  return [
    {
      cause: "time-wait-limit",
      trouble: skipped > 0,
      headline:
        skipped > 0 ? `${how}: ${plural(skipped, "connection")} skipped it within ${spanText(facts.spanMs)}` : how,
      detail: ["beyond tcp_max_tw_buckets connections end without TIME-WAIT, unprotected from old segments"],
      remedies: [
        {
          what: "raise the limit",
          cost: "about 250 bytes for each",
          command: [...sudo(facts), "sysctl", "-w", `net.ipv4.tcp_max_tw_buckets=${facts.maxTimeWait * 2}`],
        },
      ],
    },
  ];
}

function fullListener(facts: HostFacts, { local, waiting, limit, pids }: FullListener): HostFinding {
  const lost = facts.after.listenOverflows - facts.before.listenOverflows;
  return {
    cause: "accept-queue-full",
    trouble: true,
    headline:
      `${formatEndpoint(local.address, local.port)} does not accept: ${plural(waiting, "connection")} wait, the limit is ${limit}` +
      ` (${pids.length > 0 ? listText(pids.map((pid) => processName(facts, pid))) : processName(facts, null)})`,
    detail: [
      lost > 0
        ? `${plural(lost, "connection attempt")} of clients found a full queue within ${spanText(facts.spanMs)}`
        : "further clients are not answered until the program accepts",
    ],
    remedies: [
      { what: "see what the program is busy with: it does not call accept" },
      { what: "a longer backlog (listen's argument, at most net.core.somaxconn) helps against bursts only" },
    ],
  };
}

const order = (finding: HostFinding) => (finding.trouble ? 0 : HOST_CAUSES.length) + HOST_CAUSES.indexOf(finding.cause);

export function diagnoseHost(facts: HostFacts): HostFinding[] {
  return [
    ...exhaustion(facts),
    ...facts.after.fullListeners.map((listener) => fullListener(facts, listener)),
    ...closeWait(facts),
    ...timeWaitLimit(facts),
  ].sort((a, b) => order(a) - order(b));
}
