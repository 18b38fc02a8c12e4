/** What `lastack/register` does about an error of listen. Read when there is one, and not before. */
import { formatEndpoint, formatZoned } from "../codec/address.ts";
import type { Trial } from "../diagnose/facts.ts";
import { mayBindPrivileged } from "../linux/capability.ts";
import { interfaceName } from "../linux/interfaces.ts";
import { numbersOfParameter } from "../linux/parameter.ts";
import { userName } from "../linux/users.ts";
import type { Explanation } from "../remedy/explanation.ts";
import { glance, type Seen } from "../remedy/glance.ts";
import { escapeForTerminal } from "../view/escape.ts";
import { refusedBind, type Asked, type ListenError } from "./refused-bind.ts";

/**
 * After so much work the look for a holder is called off; with the reading of this file it is less than 20 ms. The work of this
 * thread is no more than the time that passes, and no more than what all threads work: of a busy host the first says too
 * much, of a busy program the second.
 */
const LOOK_MS = 14;
/** Programs that try port after port, or one again and again, are not held up each time. */
const VALID_MS = 1000;
const MOST_REMEMBERED = 256;
/** Longer names of others are cut. */
const MOST_CHARACTERS = 400;

function workLimit(ms: number): () => boolean {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.min(performance.now() - startedMs, (user + system) / 1000) < ms;
  };
}

function seenText({ socket: { state, local, interfaceIndex, inode, uid }, holder }: Seen): string {
  const device = interfaceIndex === 0 ? "" : `%${interfaceName(interfaceIndex)}`;
  const where = formatEndpoint(local.address + device, local.port);
  if (inode === 0) return `a connection in ${state} on ${where}, which no process holds`;
  const someone = uid === null ? "a process" : `a process of ${userName(uid)}`;
  const known = holder?.pid === process.pid ? "this very process" : holder?.program;
  const who = holder ? `${known} (pid ${holder.pid})` : someone;
  if (state === "LISTEN") return `${who} listens on ${where}`;
  return state === "BOUND" ? `${who} has bound ${where}` : `${who} has a connection in ${state} on ${where}`;
}

/** Why, in one sentence, if that can be said at once. */
function reasonText({ request, errno }: Trial): string | undefined {
  switch (errno) {
    case "EADDRINUSE": {
      const seen = glance(request, workLimit(LOOK_MS));
      return seen && seenText(seen);
    }
    case "EACCES": {
      const start = numbersOfParameter("net.ipv4.ip_unprivileged_port_start", 1024)[0]!;
      return request.port < start && !mayBindPrivileged()
        ? `ports below ${start} take the capability CAP_NET_BIND_SERVICE`
        : "no privilege is missing, a policy forbids it";
    }
    default:
      return request.address.length === 4
        ? "this host does not have that address"
        : "this host does not have that address, or does not use it yet (duplicate address detection)";
  }
}

/** Why a listen was refused: the sentence at once, the rest when it is read. */
class Why {
  readonly #atMs = performance.now();
  readonly text: string | undefined;
  #explanation: Explanation | undefined;

  constructor(private readonly refused: Trial) {
    this.text = reasonText(refused);
  }

  get isValid(): boolean {
    return performance.now() - this.#atMs < VALID_MS;
  }

  get explanation(): Explanation | undefined {
    try {
      const { explainListen } = require("./explain-listen.ts") as typeof import("./explain-listen.ts");
      this.#explanation ??= explainListen(this.refused, this.isValid);
    } catch {
      // Where neither netlink nor /proc may be read there is nothing to tell, and who reads it handles an error already.
    }
    return this.#explanation;
  }
}

const remembered = new Map<string, Why>();

function whyRefused(refused: Trial): Why {
  const { request, errno } = refused;
  const key = [errno, formatZoned(request), request.port, request.ipv6Only, request.reusePort].join(" ");
  const known = remembered.get(key);
  if (known?.isValid) return known;
  const why = new Why(refused);
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(key, why);
  return why;
}

/** An error's message is shown on terminals: the text of others is cut and made harmless. */
function appended(message: string, text: string): string {
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return `${message}: ${escapeForTerminal(cut)}`;
}

/**
 * Appends to the error's message, and to its stack, which begins with it, who has the port, and gives it `lastack`, which
 * is computed when it is read. It is not enumerable: whatever copies or prints an error's properties does not set it off.
 */
export function tellWhy(error: ListenError, asked: Asked | undefined): void {
  if (Object.hasOwn(error, "lastack")) return; // two copies of lastack are loaded
  const refused = refusedBind(error, asked);
  if (!refused) return;
  const why = whyRefused(refused);
  Object.defineProperty(error, "lastack", { configurable: true, enumerable: false, get: () => why.explanation });
  if (why.text === undefined) return;
  const { message, stack } = error;
  const longer = appended(message, why.text);
  if (typeof stack === "string") error.stack = stack.replace(message, () => longer);
  error.message = longer;
}
