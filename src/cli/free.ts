import { FORCE_AFTER_MS, proposeFree, type FreeProgress, type Proposal } from "../remedy/free.ts";
import { attemptFree, type Attempt } from "../remedy/freed-port.ts";
import { asRoot } from "./as-root.ts";
import { ASK_HELP, ASK_OPTIONS, asksFor } from "./asks.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { planText, progressText, resultText } from "./free-text.ts";
import { Interruption } from "./interruption.ts";
import { parseOptions } from "./options.ts";
import { isTerminal, sayErr, sayOut } from "./output.ts";
import { parseDuration } from "./values.ts";
import { line } from "./why-text.ts";

export const help = `lastack free: end what keeps a port from being bound, and nothing else

Usage: lastack free [ADDR:]PORT... [options]

First it says what would end, and what goes with it; on a terminal it asks. Then all that hold the port get SIGTERM, and
SIGKILL if that does not help, or, where one of them may not be ended, none does. What the kernel keeps of connections
(TIME-WAIT and the like) is removed. At last the port is looked at again.

${ASK_HELP}
Options
  -y, --yes           do it without asking; where standard input is no terminal, nothing is done without this
  -n, --dry-run       only say what would end
      --if NAME       only if it is this program that holds the port
      --connections   also destroy connections that a program here opened from the port; the program itself goes on
      --force         also PID 1, the sshd of this login, container engines, and what a supervisor would start again
      --force-after T how long after SIGTERM SIGKILL follows, by default ${FORCE_AFTER_MS / 1000}s
      --json          what was found, done and is now, as one JSON document (docs/json.md)

Exit status: 0 the port can be bound now, or nothing was there; 1 it can't, or nothing was done; 3 a permission is missing;
130, 143 or 129 interrupted by Ctrl-C, SIGTERM or SIGHUP, after saying what was done

Examples
  lastack free 3000                end whoever listens on port 3000, after asking
  lastack free 3000 --yes          without asking, for scripts
  lastack free 3000 --if node -y   only if that is node
  lastack free 127.0.0.1:8000 -n   what would end
`;

function options(args: string[]) {
  return parseOptions({
    args,
    allowPositionals: true,
    options: {
      ...ASK_OPTIONS,
      yes: { type: "boolean", short: "y" },
      "dry-run": { type: "boolean", short: "n" },
      if: { type: "string" },
      connections: { type: "boolean" },
      force: { type: "boolean" },
      "force-after": { type: "string" },
      json: { type: "boolean" },
    },
  });
}

/** Asks on the terminal; anything but yes is no: Ctrl-C and the end of input too, which close the question unanswered. */
async function confirmed(): Promise<boolean> {
  const { createInterface } = await import("node:readline");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    terminal.once("close", () => resolve(""));
    terminal.question("Go on? [y/N] ", resolve);
  });
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** A disk that is full keeps nobody from being told to end after the others; what comes last says that it is full. */
function sayWhatever(text: string): void {
  try {
    sayOut(text);
  } catch {}
}

interface Run {
  forceAfterMs: number;
  abort: AbortSignal;
  tell(progress: FreeProgress): void;
}

/** Carries the plans out, one port after the other. What was ended for one port is not ended again for the next. */
async function carryOutAll(proposals: readonly Proposal[], { forceAfterMs, abort, tell }: Run): Promise<Attempt[]> {
  const ended = new Set<number>();
  const results: Attempt[] = [];
  for (const proposal of proposals) {
    const did: FreeProgress[] = [];
    const result: Attempt = { proposal, did };
    results.push(result);
    const victims = proposal.plan.victims.filter(({ process: { pid } }) => !ended.has(pid));
    const onProgress = (progress: FreeProgress) => {
      if (progress.kind === "ended") ended.add(progress.process.pid);
      did.push(progress);
      tell(progress);
    };
    await attemptFree(result, { ...proposal.plan, victims }, { forceAfterMs, abort, onProgress });
    if (abort.aborted || (result.error && result.freed?.after.diagnosis.answer !== "free")) break;
  }
  const left = proposals.slice(results.length).map((proposal) => ({ proposal, did: [] }));
  return [...results, ...left];
}

/** Without a plan that can be carried out there is only something to say. */
function refusedStatus(proposals: readonly Proposal[]): number | undefined {
  const refusals = proposals.flatMap(({ plan }) => plan.refusals);
  if (refusals.length === 0) return undefined;
  return refusals.some(({ needsPermission }) => needsPermission) ? EXIT.permission : EXIT.no;
}

const isThere = ({ before, plan }: Proposal) =>
  before.diagnosis.answer !== "free" || plan.victims.length > 0 || plan.sockets.length > 0;

async function toJson(results: readonly Attempt[], status: number): Promise<string> {
  const { freedAsJson } = await import("./free-json.ts");
  return freedAsJson(results, status);
}

async function showAndConfirm(proposals: readonly Proposal[], how: { yes: boolean; dryRun: boolean; json: boolean }) {
  const refused = refusedStatus(proposals);
  let isShown = true;
  if (!how.json) {
    for (const proposal of proposals) {
      const { headline } = proposal.before.diagnosis;
      isShown = sayOut(isThere(proposal) ? planText(proposal) : `Nothing was there. ${line(headline)}\n`);
    }
  }
  if (refused !== undefined) {
    if (refused === EXIT.permission && !how.json) sayOut(`  As root: ${asRoot()}\n`);
    return refused;
  }
  if (!proposals.some(isThere)) return EXIT.ok;
  if (how.dryRun) return EXIT.no;
  if (how.yes) return undefined;
  if (how.json || !isTerminal(0)) {
    const why = how.json ? "--json does not ask" : "there is no terminal to ask on";
    sayErr(`lastack free: nothing was ended: ${why}; --yes goes ahead without asking\n`);
    return EXIT.no;
  }
  if (isShown && (await confirmed())) return undefined;
  sayOut("Nothing was ended\n");
  return EXIT.no;
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = options(args);
  if (positionals.length === 0) throw new UsageError("which port? lastack free PORT...");
  const {
    connections = false,
    force = false,
    if: only,
    yes = false,
    "dry-run": dryRun = false,
    "force-after": after,
    json = false,
    ...described
  } = values;
  if (only === "") throw new UsageError("--if takes the name of a program");
  const forceAfterMs = after === undefined ? FORCE_AFTER_MS : parseDuration(after, "--force-after");
  const questions = positionals.map((argument) => asksFor(described, argument));
  const proposals = questions.map((asks) =>
    proposeFree(asks, { connections, force, ...(only !== undefined && { only }) }),
  );
  const decided = await showAndConfirm(proposals, { yes, dryRun, json });
  if (decided !== undefined) {
    if (json)
      sayOut(
        await toJson(
          proposals.map((proposal) => ({ proposal, did: [] })),
          decided,
        ),
      );
    return decided;
  }
  using interruption = new Interruption();
  const results = await carryOutAll(proposals.filter(isThere), {
    forceAfterMs,
    abort: interruption.signal,
    tell: (progress) => json || sayWhatever(`${line(progressText(progress))}\n`),
  });
  const texts = results.map((result) => resultText(result, interruption.signal.aborted));
  const status = interruption.status ?? Math.max(...texts.map((text) => text.status));
  if (json) sayOut(await toJson(results, status));
  else for (const { text } of texts) sayOut(`${text}\n`);
  return status;
}
