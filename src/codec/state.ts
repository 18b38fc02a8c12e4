/**
 * TCP's states under all the names they go by: RFC 9293 section 3.3.2, the kernel's (include/net/tcp_states.h) and ss's.
 * `BOUND` is not a state of TCP: it is a socket that is bound to a port and neither listens nor is connected, which
 * Linux lists since 6.8 as TCP_BOUND_INACTIVE.
 */
export type TcpState =
  | "ESTABLISHED"
  | "SYN-SENT"
  | "SYN-RECEIVED"
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "TIME-WAIT"
  | "CLOSED"
  | "CLOSE-WAIT"
  | "LAST-ACK"
  | "LISTEN"
  | "CLOSING"
  | "BOUND";

interface StateName {
  number: number;
  rfc: TcpState;
  kernel: string;
  ss: string;
}

/** One row a state, by the kernel's number. SYN-RECEIVED has two: a connection request is a socket of its own kind. */
export const STATES: readonly StateName[] = [
  { number: 1, rfc: "ESTABLISHED", kernel: "TCP_ESTABLISHED", ss: "ESTAB" },
  { number: 2, rfc: "SYN-SENT", kernel: "TCP_SYN_SENT", ss: "SYN-SENT" },
  { number: 3, rfc: "SYN-RECEIVED", kernel: "TCP_SYN_RECV", ss: "SYN-RECV" },
  { number: 4, rfc: "FIN-WAIT-1", kernel: "TCP_FIN_WAIT1", ss: "FIN-WAIT-1" },
  { number: 5, rfc: "FIN-WAIT-2", kernel: "TCP_FIN_WAIT2", ss: "FIN-WAIT-2" },
  { number: 6, rfc: "TIME-WAIT", kernel: "TCP_TIME_WAIT", ss: "TIME-WAIT" },
  { number: 7, rfc: "CLOSED", kernel: "TCP_CLOSE", ss: "UNCONN" },
  { number: 8, rfc: "CLOSE-WAIT", kernel: "TCP_CLOSE_WAIT", ss: "CLOSE-WAIT" },
  { number: 9, rfc: "LAST-ACK", kernel: "TCP_LAST_ACK", ss: "LAST-ACK" },
  { number: 10, rfc: "LISTEN", kernel: "TCP_LISTEN", ss: "LISTEN" },
  { number: 11, rfc: "CLOSING", kernel: "TCP_CLOSING", ss: "CLOSING" },
  { number: 12, rfc: "SYN-RECEIVED", kernel: "TCP_NEW_SYN_RECV", ss: "SYN-RECV" },
  { number: 13, rfc: "BOUND", kernel: "TCP_BOUND_INACTIVE", ss: "BOUND-INACTIVE" },
];

const byNumber: (TcpState | undefined)[] = [];
for (const { number, rfc } of STATES) byNumber[number] = rfc;

/** The state's RFC name, or undefined for a number that this table does not have. */
export function stateName(number: number): TcpState | undefined {
  return byNumber[number];
}

const TCP_CLOSE = 7;

/**
 * The name of the state of a socket that the kernel listed. Asked for TCP_BOUND_INACTIVE it answers with TCP_CLOSE, which
 * sockets that nobody asked for are never listed with (net/ipv4/inet_diag.c).
 */
export function listedStateName(number: number): TcpState | undefined {
  return number === TCP_CLOSE ? "BOUND" : stateName(number);
}

/** The bit mask, as sock_diag takes it, of all kernel states that go by this name. */
export function stateMask(state: TcpState): number {
  return STATES.filter(({ rfc }) => rfc === state).reduce((mask, { number }) => mask | (1 << number), 0);
}

/** All states that a socket table can hold; CLOSED sockets are in none. */
export const ALL_STATES_MASK = STATES.reduce((mask, { number }) => mask | (1 << number), 0);
export const LISTEN_MASK = stateMask("LISTEN");

/** Reduces a spelling to what all spellings of a state share: `TCP_FIN_WAIT2`, `fin-wait-2` -> `finwait2`. */
function normalize(name: string): string {
  return name.toLowerCase().replace(/^tcp_/, "").replace(/[-_ ]/g, "");
}

const byNormalName = new Map<string, TcpState>();
for (const { rfc, kernel, ss } of STATES) {
  for (const name of [rfc, kernel, ss]) byNormalName.set(normalize(name), rfc);
}

/** The state that `name` means in any spelling and case, or undefined. */
export function parseState(name: string): TcpState | undefined {
  return byNormalName.get(normalize(name));
}

/** Every accepted spelling in its normal form: lower case, no separators. For telling a misspelt state from a name. */
export function normalStateNames(): Iterable<string> {
  return byNormalName.keys();
}
