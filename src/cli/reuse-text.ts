/** What `reuse` says to people. */
import type { PortSocket } from "../diagnose/facts.ts";
import { listText, localText, peerText, plural, processText } from "../diagnose/words.ts";
import type { Prepared, Reuse } from "../remedy/reuse.ts";
import { line } from "./why-text.ts";

/** Said first, whatever is found. */
export const REUSE_HELPS = `This helps a server that sets SO_REUSEADDR itself before its bind, as Node always does. One that does not is refused as
long as anything is left of the old server's connections; for that one, when the old one has ended: lastack free PORT
`;

/** More sockets than these are counted, not shown. */
const MOST_ROWS = 12;

const REFUSALS: Record<string, string> = {
  EPERM: "not permitted",
  ENOENT: "no process is seen that has it",
};

function answerText({ before, after, refused }: Prepared, dryRun: boolean): string {
  if (refused !== undefined) return `not set: ${REFUSALS[refused] ?? "its process does not lend it"} (${refused})`;
  if (before === true) return "is set already";
  if (dryRun) return "would be set";
  return after === true ? "is set now" : "not set: the kernel reads it back as off";
}

function rowText(prepared: Prepared, dryRun: boolean): string {
  const { socket, process } = prepared;
  const ends = socket.peer.port === 0 ? localText(socket) : `${localText(socket)} to ${peerText(socket)}`;
  const whose = process ? processText(process) : "a process that is not seen";
  return `  ${line(`${socket.state} ${ends}, ${whose}: ${answerText(prepared, dryRun)}`)}\n`;
}

const statesOf = (sockets: readonly PortSocket[]) => listText([...new Set(sockets.map(({ state }) => state))]);

/** Those first that could not be set, then listeners. */
function rowsText(live: readonly Prepared[], dryRun: boolean): string {
  const rank = ({ refused, socket }: Prepared) => (refused !== undefined ? 0 : socket.state === "LISTEN" ? 1 : 2);
  const shown = [...live].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_ROWS);
  const rest = live.length - shown.length;
  return `${shown.map((one) => rowText(one, dryRun)).join("")}${rest > 0 ? `  and ${plural(rest, "socket")} more\n` : ""}`;
}

export function reuseText({ port, live, waiting, leftovers }: Reuse, dryRun: boolean): string {
  const parts: string[] = [];
  if (live.length === 0) parts.push(`Port ${port}: no process has a socket there\n`);
  else {
    const set = live.filter(({ after }) => after === true).length;
    parts.push(`Port ${port}: ${set} of ${plural(live.length, "socket")} ${set === 1 ? "has" : "have"} SO_REUSEADDR\n`);
    parts.push(rowsText(live, dryRun));
  }
  if (waiting.length > 0) {
    parts.push(
      `  ${plural(waiting.length, "connection")} more: not set, nobody has accepted them yet; run this again when that is done\n`,
    );
  }
  if (leftovers.length > 0) {
    parts.push(
      `  ${plural(leftovers.length, "socket")} in ${statesOf(leftovers)}: not set, the kernel alone has them; lastack free ${port} removes what is in the way\n`,
    );
  }
  return parts.join("");
}
