/**
 * Scenarios in short, for tests: calls separated by ';', each a socket and what it does, as in
 * `a IPv4 SO_REUSEADDR; a bind 0.0.0.0 8000; a listen; b IPv4 uid=1000; b connect 127.0.0.1 8000; a accept c; a set
 * SO_REUSEADDR=0; a shutdown both; a close`. `bind` to `[ADDRESS] 0` chooses a port.
 */
import { devicesOf, type Request } from "../../src/bind/requests.ts";
import { emptyState, type Host, type State } from "../../src/bind/state.ts";
import { step } from "../../src/bind/step.ts";
import type { Answer } from "../../src/bind/answer.ts";
import type { Family, SocketOption } from "../../src/call/call.ts";

function optionRequest(socket: string, text: string): Request {
  const [option, value = "1"] = text.split("=") as [string, string?];
  if (option === "SO_BINDTODEVICE") {
    const index = devicesOf(emptyState()).indexOf(value);
    return { name: "setsockopt", socket, option: "SO_BINDTOIFINDEX", value: index < 0 ? 99 : index };
  }
  const [low, high] = value.split("-").map(Number) as [number, number?];
  const number = option === "IP_LOCAL_PORT_RANGE" ? low + 65_536 * high! : Number(value);
  return { name: "setsockopt", socket, option: option as SocketOption, value: number };
}

function requestsIn(call: string): Request[] {
  const [socket, name, ...rest] = call.trim().split(/\s+/) as [string, string, ...string[]];
  const [first = "", second = ""] = rest;
  switch (name) {
    case "IPv4":
    case "IPv6": {
      const uid = Number(rest.find((text) => text.startsWith("uid="))?.slice(4) ?? 0);
      const options = rest.filter((text) => !text.startsWith("uid="));
      const made: Request = { name: "socket", socket, family: name satisfies Family, uid };
      return [made, ...options.map((text) => optionRequest(socket, text))];
    }
    case "set":
      return rest.map((text) => optionRequest(socket, text));
    case "bind":
    case "connect":
      return [{ name, socket, address: first, port: Number(second) }];
    case "listen":
      return [{ name, socket, backlog: Number(first || 128) }];
    case "accept":
      return [{ name, socket, as: first, uid: Number(second.slice(4) || 0) }];
    case "shutdown":
      return [{ name, socket, how: first as "both" }];
    case "close":
      return [{ name, socket }];
    default:
      throw new TypeError(`'${call}'`);
  }
}

export function storyRequests(text: string): Request[] {
  return text.split(";").flatMap((call) => requestsIn(call.replace("!", "")));
}

/** Goes through a story from `state` on. All but the last call must be granted, or be told otherwise by `!` before them. */
export function continueStory(state: State, text: string): { state: State; answer: Answer } {
  let last: { state: State; answer: Answer } | undefined;
  const calls = text.split(";").map((call) => call.trim());
  for (const [i, call] of calls.entries()) {
    for (const request of requestsIn(call.replace("!", ""))) {
      last = step(last?.state ?? state, request);
      const isMeant = i === calls.length - 1 || call.startsWith("!") || last.answer.outcome === "granted";
      if (!isMeant) throw new Error(`${call}: ${last.answer.rule}`);
    }
  }
  return last!;
}

export function tell(text: string, host: Partial<Host> = {}): { state: State; answer: Answer } {
  return continueStory(emptyState(host), text);
}

/** The last answer of a story, in a word: `granted`, `EADDRINUSE`, `waits`, `depends`. */
export function verdict(text: string, host: Partial<Host> = {}): string {
  const { outcome, code } = tell(text, host).answer;
  return outcome === "refused" ? code! : outcome;
}
