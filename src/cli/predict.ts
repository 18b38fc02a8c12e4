/** `lastack predict`: what binding will answer, by the rules, and by the running kernel beside them. */
import { answerAll, byRules, type Answerer } from "../bind/prediction.ts";
import { hostOf, readScenario, type Scenario } from "../bind/scenario.ts";
import { SYSTEMS, type Host, type System } from "../bind/state.ts";
import { startState } from "../bind/start.ts";
import { plainHost } from "../bind/systems.ts";
import { enterHome, NoNamespace, systemName } from "../world/kernel/home.ts";
import { Unavailable } from "../lab/world.ts";
import { BindHost, runBeside } from "../world/kernel/bind-host.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { inputName, readInput } from "./input.ts";
import { endWithFirstRun, runInUserNamespace, SECOND_RUN, tellNoNamespace } from "./isolation.ts";
import { parseOptions } from "./options.ts";
import { writeErr, writeOut } from "./output.ts";
import { predictionJson, predictionText, type Beside, type Prediction, type Row } from "./predict-view.ts";

export const help = `lastack predict: what bind, listen and connect will answer, and why

Usage: lastack predict SCENARIO.json [options]

SCENARIO.json lists socket calls by the names of sockets (docs/predict.md, docs/predict.schema.json); '-' is standard
input. Each call is answered by the rules of Linux 6.18: granted or refused, the sockets that are the reason, the rule
that decides and where it stands in the kernel's source. Nothing is bound on this host.

Options
      --on kernel   make the same calls on the running kernel too, in a network namespace of their own, and show both
      --os NAME     answer for linux, macos, freebsd or windows; all but linux from documents, not run
      --json        the answers as JSON (docs/predict.md)

Exit status: 0 answered, and the kernel did the same; 1 the kernel did something else; 2 the command line or the file was
not understood; 3 there is no network namespace to be had.

Examples
  lastack predict restart.json
  lastack predict restart.json --on kernel
  lastack predict restart.json --os macos
  echo '{"schema": 1, "steps": [{"call": "socket", "socket": "a", "family": "IPv4"},
    {"call": "bind", "socket": "a", "address": "127.0.0.1", "port": 80}]}' | lastack predict -
`;

function byBoth(kernel: BindHost): Answerer<Beside> {
  return (state, request) => {
    const { predicted, ran, agrees, state: after } = runBeside(state, kernel.run, request);
    return { row: { predicted, ran, agrees }, state: after };
  };
}

function systemNamed(name: string | undefined): System {
  const system = SYSTEMS.find((one) => one === (name ?? "linux"));
  if (!system) throw new UsageError(`--os ${name}: expected ${SYSTEMS.join(", ")}`);
  return system;
}

function scenarioIn(file: string): Scenario {
  const read = readScenario(readInput(file, "'lastack predict --help' shows a scenario"));
  if (!read.ok) throw new UsageError(`${inputName(file)}: ${read.where}: ${read.problem}`);
  return read.scenario;
}

function predictBeside(host: Host, scenario: Scenario): Row[] | number {
  let kernel: BindHost | undefined;
  try {
    kernel = new BindHost(host);
    return answerAll(scenario, startState(host), byBoth(kernel));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    writeErr(`lastack predict: ${error.message}\n`);
    return EXIT.permission;
  } finally {
    kernel?.close();
  }
}

export function run(args: string[]): number {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      on: { type: "string" },
      os: { type: "string" },
      json: { type: "boolean" },
      ...SECOND_RUN,
    },
  });
  endWithFirstRun(values);
  const { on, os, json } = values;
  const [file, more] = positionals;
  if (file === undefined || more !== undefined) throw new UsageError("predict takes one file, or - for standard input");
  if (on !== undefined && on !== "kernel") throw new UsageError(`--on ${on}: expected kernel`);
  const system = systemNamed(os);
  if (on && system !== "linux") throw new UsageError("--on kernel runs Linux: leave --os out");
  if (on) {
    // Before standard input is read: the second run reads it.
    try {
      enterHome();
    } catch (error) {
      if (!(error instanceof NoNamespace)) throw error;
      return runInUserNamespace() ?? tellNoNamespace();
    }
  }
  const scenario = scenarioIn(file);
  if (on && scenario.host?.mayBindPrivileged === false) {
    throw new UsageError("host.mayBindPrivileged: on the kernel the calls are made with CAP_NET_BIND_SERVICE");
  }
  const host = hostOf(scenario, plainHost(system));
  const rows: Row[] | number = on ? predictBeside(host, scenario) : answerAll(scenario, startState(host), byRules);
  if (typeof rows === "number") return rows;
  const prediction: Prediction = { system, title: scenario.title, steps: scenario.steps, rows };
  if (on) prediction.kernel = systemName();
  writeOut(json ? predictionJson(prediction) : predictionText(prediction));
  return rows.every(({ agrees }) => agrees !== false) ? EXIT.ok : EXIT.no;
}
