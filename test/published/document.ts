/** docs/published-results.md: what others have published, beside what comes out here. All of it is the same on every run. */
import { search } from "../../src/prove/search.ts";
import { TlaTcp } from "../prove/tla-tcp.ts";
import * as faber from "./faber.ts";
import { defaultPorts, exhaust, TIME_WAIT_S } from "./ports.ts";
import { REQUIREMENTS } from "./requirements.ts";
import { figure1, figure2, figure3, figure4, FIXES, PUBLISHED, type Fix, type Told } from "./rfc1337.ts";
import * as wrap from "./wrap.ts";

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const round = (value: number) => Number(value.toPrecision(4)).toLocaleString("en");

const FIGURES = { figure1, figure2, figure3, figure4 } as const;
type FigureName = keyof typeof FIGURES;

const TITLES: Record<FigureName, string> = {
  figure1: "Figure 1: an old duplicate ends TIME-WAIT",
  figure2: "Figure 2, hazard H1: old data are accepted",
  figure3: "Figure 3, hazard H2: an endless exchange of ACKs",
  figure4: "Figure 4, hazard H3: the new connection dies",
};

/** What the memo says becomes of it, without a fix. */
const CLAIMS: Record<FigureName, string> = {
  figure1: "A: CLOSED, prematurely",
  figure2: "80 or 40 bytes of old data reach B's user",
  figure3: "an infinite ACK loop",
  figure4: "A: CLOSED, B: LISTEN",
};

const FIX_NAMES: Record<Fix, string> = {
  none: "RFC 793",
  F1: "F1: RSTs are ignored in TIME-WAIT",
  F2: "F2: PAWS",
  rfc5961: "RFC 9293, with RFC 5961",
};

const code = (text: string | undefined) => (text === undefined ? "" : `\`${text}\``);

function figure(name: FigureName): string {
  const { log }: Told = FIGURES[name]("none");
  const printed: readonly string[] = PUBLISHED[name];
  const rows = printed.map((line, i) => [code(line), code(log[i])]);
  const more =
    log.length > printed.length ? [["(etc.)", `and ${log.length - printed.length} more, when it was stopped`]] : [];
  return `### ${TITLES[name]}\n\n${table(["published", "simulated"], [...rows, ...more])}`;
}

function fixes(): string {
  const rows = (Object.keys(FIGURES) as FigureName[]).map((name) => [
    TITLES[name],
    CLAIMS[name],
    ...FIXES.map((fix) => FIGURES[name](fix).outcome),
  ]);
  return table(["simulated", "published, without a fix", ...FIXES.map((fix) => FIX_NAMES[fix])], rows);
}

function wraps(): string {
  const rows = wrap.PUBLISHED.map(({ network, bytesPerS, twrapS }) => {
    const when = (is: (bytes: number) => boolean) => {
      const bytes = wrap.least(is);
      return bytes === undefined ? "never" : round(bytes / bytesPerS);
    };
    return [
      network,
      round(twrapS),
      round(wrap.HALF / bytesPerS),
      when((bytes) => wrap.takesOldSyn(bytes, bytesPerS)),
      when((bytes) => wrap.takesOldData(bytes, bytesPerS, { windowScale: 14 })),
      when((bytes) => wrap.takesOldData(bytes, bytesPerS)),
      when((bytes) => wrap.takesOldData(bytes, bytesPerS, { timestamps: true })),
    ];
  });
  const heading = [
    "network",
    "Twrap, published",
    "2^31 / B, computed",
    "an old SYN, simulated",
    "old data, window 2^30, simulated",
    "old data, window 2^16, simulated",
    "old data, timestamps, simulated",
  ];
  return table(heading, rows);
}

function ceiling(): string {
  const few = exhaust(100);
  const ports = defaultPorts();
  const rows = [
    ["100 ports: connections until one is refused", "100", `${few.made}, then ${few.code}`, "simulated"],
    ["the same client, another endpoint", "works", few.elsewhere, "simulated"],
    [
      "connections a second, Linux's default range",
      "28,232 / 60 = 470",
      `${ports.toLocaleString("en")} / ${TIME_WAIT_S} = ${Math.floor(ports / TIME_WAIT_S)}`,
      "computed",
    ],
  ];
  return table(["", "published", "here", ""], rows);
}

function blocks(): string {
  const { server, client } = faber.PUBLISHED;
  const counted = faber.countTimeWait(server.connectionsPerS, 600, "server");
  const spared = faber.countTimeWait(client.connectionsPerS, 120, "client");
  const little = server.connectionsPerS * 60;
  const rows = [
    [
      "TIME-WAIT blocks of a server at 49.09 connections a second",
      `49.09 x 60 s = ${round(little)} (Little's law)`,
      `${counted.mean.toLocaleString("en")} on average, ${counted.least.toLocaleString("en")} to ${counted.most.toLocaleString("en")}, over ${counted.connections.toLocaleString("en")} connections`,
      "simulated",
    ],
    [
      "… their size",
      "722.7 KB",
      `${Math.round((server.timeWaitKb * 1024) / little)} bytes for each of them`,
      "computed",
    ],
    ["… where the client closes first, at 62.02 connections a second", "24.1 KB", `${spared.most} blocks`, "simulated"],
    [
      "62.02 connections a second instead of 49.09",
      "26 % more",
      "the throughput of machines of 1997",
      "not reproducible here",
    ],
  ];
  return table(["", "published", "here", ""], rows);
}

function machine(): string {
  const tcp = new TlaTcp();
  const found = search(tcp, 1 << 28);
  const count = (value: number) => value.toLocaleString("en");
  const rows = [
    ["distinct states", "1,182", count(found.distinct), "simulated"],
    ["states generated", "6,322", count(found.generated + tcp.leftOut), "simulated"],
    ["depth", "14", count(found.depth), "simulated"],
  ];
  return table(["", "published", "here", ""], rows);
}

function requirements(): string {
  const rows = REQUIREMENTS.map(({ rfc, where, what, file, title }) => [
    `RFC ${rfc}, ${where}`,
    what,
    `${file}.test.ts: ${title}`,
  ]);
  return table(["section", "demand", "test"], rows);
}

export function publishedResults(): string {
  return `${[
    "# Published results",
    "`npm run published-results` wrote this page: what others have published, beside what comes out here. _Simulated_: on `src/tcp`, `src/bind` or `src/prove`, in virtual time; _computed_: from the published numbers; _not reproducible here_: what hangs on machines of then. `test/published` holds each line to it.",
    '## RFC 1337, "TIME-WAIT Assassination Hazards in TCP"',
    "The segments in the order in which they are sent, each once: the figures show some a second time, as they arrive. Left out are the windows of figure 4; the old duplicate of figure 1 is printed without CTL there. `old` is the old duplicate. Both ends go by RFC 793's rules (`rfc5961` off). The hazards are those of the connection that is opened at once when TIME-WAIT has been ended so.",
    ...(Object.keys(FIGURES) as FigureName[]).map(figure),
    "### With its fixes",
    "The memo says that F1 avoids all three hazards, and F2 only H1. With F1 the old connection stays in TIME-WAIT for two MSL, twice as long as any segment lives. F2 is simulated as timestamps on both ends; the memo has RSTs ignored in TIME-WAIT beside it, until the clock of timestamps has ticked. H2 is gone with H1, of which it is the consequence in figure 3; the memo counts it as remaining because an old ACK may lead to it as well: TIME-WAIT answers old segments by ACKs with a timestamp of now. H3 remains, since SYN-SENT knows no timestamp yet to compare with.",
    fixes(),
    '## RFC 1185, "TCP Extension for High-Speed Paths": wrap times',
    "Twrap = 2^31 / B, in seconds: after so long an old number is on the other side of the circle, and counts as new. A SYN in TIME-WAIT is taken for a new connection's by that comparison alone (RFC 9293 section 3.6.1, MAY-2), so the old connection's own SYN is taken from Twrap on, and not before. Data must lie in the window besides: that takes 2^32 bytes less the window. With timestamps they are not taken at all (PAWS; a timestamp counts as new after 24.8 days). The bytes are not moved: the receiver is put where they would have taken it, which a test compares with moving them.",
    wraps(),
    "## The port ceiling",
    "From one address to one endpoint there are as many connections in a minute as ports, since the end that closes first keeps its port in TIME-WAIT.",
    ceiling(),
    '## Faber, Touch, Yue, "The TIME-WAIT state in TCP and its effect on busy servers", table 2',
    "Ten virtual minutes of connections at an even rate, each a request, a response and a close between two endpoints; counted each second after the first minute.",
    blocks(),
    "## TLA+ Examples, `specifications/tcp`",
    "RFC 9293's state machine of two peers without numbers, loss or time, transcribed in test/prove/tla-tcp.ts: it validates the search of `src/prove`.",
    machine(),
    "## Requirements: closing and resetting",
    "What RFC 9293, 1122, 5961, 6191 and 7323 demand there, and the test of it in test/tcp, by its title (`%s`: once for each state, or each state of both profiles). They are of the profile `rfc9293` where they name none; what `linux` does otherwise stands in [model-vs-kernel.md](model-vs-kernel.md). Not in the endpoint, and so without a test: urgent data (of MUST-66), keep-alives (MUST-24 to MUST-29), ICMP (MUST-54 to MUST-56, SHLD-26), advice to IP (of MUST-20), a report before the end (SHLD-9), and the return to TIME-WAIT after a SYN that was an old duplicate (of MAY-2).",
    requirements(),
  ].join("\n\n")}\n`;
}
