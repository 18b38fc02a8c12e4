import { basisOf, predictedStep, type PredictedStep, type StepLeftOut } from "../bind/predicted-step.ts";
import { answerAll, byRules } from "../bind/prediction.ts";
import { hostOf, readScenario } from "../bind/scenario.ts";
import { startState } from "../bind/start.ts";
import type { System } from "../bind/state.ts";
import { plainHost } from "../bind/systems.ts";

/** Options of a scenario's socket. @public */
export interface ScenarioOptions {
  SO_REUSEADDR?: boolean | 0 | 1;
  SO_REUSEPORT?: boolean | 0 | 1;
  IPV6_V6ONLY?: boolean | 0 | 1;
  IP_BIND_ADDRESS_NO_PORT?: boolean | 0 | 1;
  /** Lowest and highest port; 0 leaves an end as it is. */
  IP_LOCAL_PORT_RANGE?: [number, number];
  /** A device's name, "" for none. */
  SO_BINDTODEVICE?: string;
  /** 0: close sends RST. -1: it does not. */
  SO_LINGER?: 0 | -1;
}

/** A socket call; sockets go by names, each used once. A port may be a socket's name: the port that it got. @public */
export type ScenarioStep =
  | { call: "socket"; socket: string; family: "IPv4" | "IPv6"; uid?: number; options?: ScenarioOptions }
  | { call: "setsockopt"; socket: string; options: ScenarioOptions }
  | { call: "bind" | "connect"; socket: string; address: string; port: number | string }
  | { call: "listen"; socket: string; backlog?: number }
  | { call: "accept"; socket: string; as: string; uid?: number }
  | { call: "shutdown"; socket: string; how: "read" | "write" | "both" }
  | { call: "close"; socket: string };

/** What docs/predict.md describes. @public */
export interface Scenario {
  title?: string;
  host?: {
    addresses?: string[];
    portRange?: [number, number];
    reservedPorts?: [number, number][];
    unprivilegedPortStart?: number;
    mayBindPrivileged?: boolean;
    timestamps?: boolean;
    autobindReuse?: boolean;
  };
  steps: ScenarioStep[];
}

/** @public */
export interface Prediction {
  system: System;
  /** `rules` are held against the running kernel by tests; what is read in documents has been run nowhere. */
  basis: "rules" | "documents";
  answers: (PredictedStep | StepLeftOut)[];
}

/**
 * What bind, listen and connect will answer, and why: what `lastack predict` says. Nothing is bound.
 *
 * Throws `TypeError` for what is no scenario; it names the place.
 *
 * @public
 */
export function predict(scenario: Scenario, { system = "linux" }: { system?: System } = {}): Prediction {
  const read = readScenario(JSON.stringify({ ...scenario, schema: 1 }));
  if (!read.ok) throw new TypeError(`${read.where}: ${read.problem}`);
  const rows = answerAll(read.scenario, startState(hostOf(read.scenario, plainHost(system))), byRules);
  return { system, basis: basisOf(system), answers: rows.map(predictedStep) };
}
