/** A scenario answered: each request by the rules, or by whatever else answers it beside them. */
import type { Answer } from "./answer.ts";
import { devicesOf, type Request } from "./requests.ts";
import { requestsOf, type Scenario } from "./scenario.ts";
import type { Row } from "./predicted-step.ts";
import type { State } from "./state.ts";
import { step } from "./step.ts";

/** Answers one request, and says what there is afterwards. */
export type Answerer<More = object> = (
  state: State,
  request: Request,
) => { row: { predicted: Answer } & More; state: State };

export function byRules(state: State, request: Request): ReturnType<Answerer> {
  const { answer: predicted, state: after } = step(state, request);
  return { row: { predicted }, state: after };
}

/** Goes through the steps. A step whose socket was not made, or whose port nobody got, is left out. */
export function answerAll<More>(scenario: Scenario, start: State, answer: Answerer<More>): (Row & Partial<More>)[] {
  const devices = devicesOf(start);
  const ports = new Map<string, number>();
  const rows: (Row & Partial<More>)[] = [];
  let state = start;
  for (const [i, one] of scenario.steps.entries()) {
    const requests = requestsOf(one, ports, devices);
    const isThere = one.call === "socket" || state.sockets.get(one.socket)?.holder === "process";
    if (!requests || !isThere) {
      rows.push({ step: i, request: undefined } as Row & Partial<More>);
      continue;
    }
    for (const request of requests) {
      const answered = answer(state, request);
      rows.push({ step: i, request, before: state, ...answered.row });
      state = answered.state;
      const port = state.sockets.get(request.socket)?.port;
      if (port) ports.set(request.socket, port);
    }
    // A call that blocks does not return: there is nothing to go on with.
    if (rows.at(-1)!.predicted?.outcome === "waits" && one.call === "connect") break;
  }
  return rows;
}
