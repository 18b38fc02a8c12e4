/**
 * A look at a port: its facts, and what follows from them. `why` is one; what changes something begins with one, and ends
 * with another that says whether it helped.
 */
import type { ZonedAddress } from "../codec/address.ts";
import { asksToTry, diagnose, type Ask, type Diagnosis } from "../diagnose/diagnose.ts";
import type { BindRequest, PortSocket, SharingOptions, Trial } from "../diagnose/facts.ts";
import { collectFacts, lookAhead, type Ahead, type Collected } from "../linux/facts.ts";
import type { SocketTable } from "../linux/socket-table.ts";
import { tryBindOnce } from "../linux/trial.ts";
import { maskSecrets } from "../view/escape.ts";
import { ANY4, anyOfNode } from "./wildcard.ts";

/** The two binds that people mean who describe none. The address is 4 or 16 bytes. */
export function usualAsks({ address, zone, port }: Partial<ZonedAddress> & { port: number }): Ask[] {
  const plain: BindRequest = {
    address: address ?? ANY4,
    zone,
    port,
    reuseAddress: false,
    reusePort: false,
    ipv6Only: false,
    uid: process.geteuid!(),
  };
  const nodes = address ?? anyOfNode();
  return [
    { name: "a plain socket", request: plain },
    { name: "Node's listen", request: { ...plain, address: nodes, reuseAddress: true } },
  ];
}

export interface Look extends Collected {
  diagnosis: Diagnosis;
}

export interface LookOptions {
  /** One bind is made for real where the lists of sockets leave the answer open. */
  probe: boolean;
  /** What is known from before of the options of a socket that can't be asked for them now. */
  recall?: (socket: PortSocket) => SharingOptions | undefined;
  /** Binds whose answer the kernel has just given, where none is made. */
  known?: readonly Trial[];
  /** false: what explains little and takes long is not looked for (all descriptors, other namespaces). */
  rare?: boolean;
  /** What {@link lookAhead} has found for these asks. */
  ahead?: Ahead | undefined;
}

const portAndAddresses = (asks: readonly Ask[]) => [asks[0]!.request.port, asks.map(({ request }) => request)] as const;

/** The same as {@link look}, faster where the kernel has very much to look through. `walk`: {@link lookAhead}. */
export async function lookAtOnce(
  asks: readonly Ask[],
  options: Omit<LookOptions, "ahead">,
  walk?: Promise<SocketTable>,
): Promise<Look> {
  return look(asks, { ...options, ahead: await lookAhead(...portAndAddresses(asks), walk) });
}

/**
 * Whether these binds, all of one port, would be granted now, and why not.
 *
 * Throws `SyscallError` or `NetlinkError` if the kernel refuses to list its sockets.
 */
export function look(asks: readonly Ask[], { probe, recall, known = [], rare = true, ahead }: LookOptions): Look {
  const collected = collectFacts(...portAndAddresses(asks), { rare, ahead });
  const sockets = collected.facts.sockets.map((socket) => ({ ...socket, options: socket.options ?? recall?.(socket) }));
  const trials = probe
    ? asksToTry({ ...collected.facts, sockets }, asks)
        .map((ask) => tryBindOnce(ask.request))
        .filter((trial): trial is Trial => trial !== undefined)
    : known;
  // No view of a diagnosis shows what follows a password-like flag.
  const processes = new Map(
    [...collected.facts.processes].map(([pid, one]) => [
      pid,
      { ...one, arguments: one.arguments && maskSecrets(one.arguments) },
    ]),
  );
  const facts = { ...collected.facts, sockets, processes, trials };
  return { ...collected, facts, diagnosis: diagnose(facts, asks) };
}
