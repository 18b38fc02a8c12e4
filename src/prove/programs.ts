/** The two programs of a question: a client and a server, through one incarnation of their connection after the other. */
import type { Call } from "../call/call.ts";
import type { Program, ProgramStep } from "./program.ts";

export const CLIENT = { address: "10.9.0.1", port: 40_000 };
export const SERVER = { address: "10.9.0.2", port: 8000 };

/** How many bytes each writes. */
export const LENGTH = 10;

/** How one incarnation of the connection ends, as far as its programs go. */
export type Ending =
  /** Both send their FIN when they like, read to the end, and close. */
  | "clean"
  /** The same, but the server sends its FIN when the client's has come. */
  | "client first"
  /** The client aborts: a RST. What the server makes of that is its own concern. */
  | "abort"
  /** The server never closes. */
  | "never";

/** What the client writes in its i-th incarnation, and what the server answers. */
const said = (i: number) => "ab"[i]!.repeat(LENGTH);
const answered = (i: number) => "AB"[i]!.repeat(LENGTH);

function together(calls: readonly Call[]): ProgramStep[] {
  return calls.map((call) => ({ call, goesOn: true }));
}

function endsCleanly(fd: number, reads: string, readsFirst = false): ProgramStep[] {
  const shutdown: ProgramStep = { call: { name: "shutdown", fd, how: "write" } };
  const read: ProgramStep = { call: { name: "read", fd, length: 2 * LENGTH }, reads };
  const last: ProgramStep[] = [
    // Whoever asks knows whether the end was one. Nobody has to; but what nobody would see is wrong all the same.
    { call: { name: "getsockopt", fd, option: "SO_ERROR" }, goesOn: true },
    { call: { name: "close", fd } },
  ];
  return readsFirst ? [read, shutdown, ...last] : [shutdown, read, ...last];
}

export function clientOf(endings: readonly Ending[]): Program {
  const fd = 3;
  const steps = endings.flatMap((ending, i): ProgramStep[] => [
    ...together([
      { name: "socket", family: "IPv4" },
      { name: "setsockopt", fd, option: "SO_REUSEADDR", value: 1 },
      { name: "bind", fd, ...CLIENT },
    ]),
    // Its own TIME-WAIT forbids it for a while.
    { call: { name: "connect", fd, ...SERVER }, again: ["EADDRNOTAVAIL"] },
    { call: { name: "write", fd, data: said(i) } },
    ...(ending === "abort"
      ? [
          ...together([{ name: "setsockopt", fd, option: "SO_LINGER", value: 0 }]),
          { call: { name: "close", fd } as const },
        ]
      : endsCleanly(fd, answered(i))),
  ]);
  return { name: "client", steps };
}

export function serverOf(endings: readonly Ending[]): Program {
  const listener = 3;
  const fd = 4;
  const opening: ProgramStep[] = [
    ...together([
      { name: "socket", family: "IPv4" },
      { name: "setsockopt", fd: listener, option: "SO_REUSEADDR", value: 1 },
      { name: "bind", fd: listener, address: "0.0.0.0", port: SERVER.port },
    ]),
    { call: { name: "listen", fd: listener, backlog: 5 } },
  ];
  const rest = endings.flatMap((ending, i): ProgramStep[] => {
    const accept: ProgramStep = { call: { name: "accept", fd: listener }, accepts: i };
    if (ending === "never") return [accept];
    const serves: ProgramStep[] = [
      { call: { name: "write", fd, data: answered(i) } },
      ...endsCleanly(fd, said(i), ending === "client first"),
    ];
    return [accept, ...(ending === "abort" ? serves.map((step) => ({ ...step, careless: true as const })) : serves)];
  });
  return { name: "server", steps: [...opening, ...rest] };
}
