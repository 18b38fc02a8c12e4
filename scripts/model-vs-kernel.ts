/** `npm run model-vs-kernel`: asks the running kernel and the model the same, and writes docs/model-vs-kernel.md. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { release } from "node:os";
import { CATALOGUE } from "../src/lab/catalogue/index.ts";
import { runExperiment } from "../src/lab/run.ts";
import { LINUX, RFC9293, type Profile } from "../src/tcp/index.ts";
import { STORY_RULES } from "../src/trace/story-merge.ts";
import { KernelWorld } from "../src/world/kernel/kernel-world.ts";
import { compareAll, type Report } from "../test/tcp/differential.ts";
import { compareWithin, MAY_DIFFER } from "../test/world/stories.ts";
import { describeStimulus, KNOWN, type Difference, type Reaction } from "../test/tcp/stimuli.ts";

const DOCUMENT = new URL("../docs/model-vs-kernel.md", import.meta.url);

function reaction({ answers, state }: Reaction): string {
  return `${answers.join("; ") || "nothing"}, ${state}`;
}

function row({ situation, stimulus, kernel, model }: Difference): string {
  return `| ${situation} | ${describeStimulus(stimulus)} | ${reaction(kernel)} | ${reaction(model)} |`;
}

function section(heading: string, text: string, differences: readonly Difference[]): string {
  const table = ["| state | segment | kernel | model |", "| --- | --- | --- | --- |", ...differences.map(row)];
  return [`### ${heading}`, text, table.join("\n")].join("\n\n");
}

function value(given: Profile[keyof Profile]): string {
  if (given === null) return "none";
  if (typeof given === "object") return `${given.count} in ${given.perUs / 1_000_000} s`;
  return String(given);
}

function profiles(): string {
  const keys = (Object.keys(LINUX) as (keyof Profile)[]).filter((key) => key !== "name");
  const rows = keys.map((key) => `| \`${key}\` | ${value(RFC9293[key])} | ${value(LINUX[key])} |`);
  return ["| | `rfc9293` | `linux` |", "| --- | --- | --- |", ...rows].join("\n");
}

/** Where the stories of an experiment part in the two worlds; undefined if they do not. */
function partings(): [id: string, where: string][] {
  const childScript = fileURLToPath(new URL("../dist/lab-process.cjs", import.meta.url));
  return CATALOGUE.flatMap((experiment) => {
    const run = () => runExperiment(experiment, new KernelWorld({ childScript }));
    const { verdicts, differences } = compareWithin(3, experiment, run(), run);
    const [first] = differences;
    const where = first && `${first.host}: “${first.one?.text ?? "the end"}”, “${first.other?.text ?? "the end"}”`;
    const verdict = verdicts.kernel === verdicts.model ? [] : [`the verdicts: ${verdicts.kernel}, ${verdicts.model}`];
    const all = [...verdict, ...(where === undefined ? [] : [where])];
    return all.length > 0 ? [[experiment.id, all.join("; ")]] : [];
  });
}

const WAITING =
  "Where several processes wait on one socket, both worlds let them go on as the kernel wakes them: the accept that has waited longest, for each connection one; of all others the last that has blocked first, and who wakes to find nothing to read changes places with the rest (`src/call/waiting.ts`). On one processor that is the order in which they get what is there, as `test/world/kernel/waiting.netns.test.ts` has it from processes that sleep in their calls, by SCHED_FIFO; with more processors, or under other schedulers, they race. Several writes that are blocked share a full buffer by turns on Linux, and one after another in the model.";

function stories(): string[] {
  const different = partings();
  const rows = Object.entries(MAY_DIFFER).map(([id, reason]) => `- \`${id}\`: ${reason}`);
  const unexplained = different.filter(([id]) => !MAY_DIFFER[id]).map(([id, where]) => `- \`${id}\`: ${where}`);
  return [
    "## Experiments in both worlds",
    `The ${CATALOGUE.length} experiments of the catalogue ran on the kernel and in the model, and ${CATALOGUE.length - different.length} told the same story: each host had the same order of calls, results, segments and states, and the verdicts were the same (\`test/lab/catalogue.netns.test.ts\`). So do stories that nobody has thought up, of random calls by four processes on the two hosts, with options, parameters, SOCK_DESTROY and segments that come twice or once more (\`test/world/random-stories.netns.test.ts\`): each call has the same result or errno, whatever state its socket is in. What the stories are compared without:`,
    STORY_RULES.map((rule, i) => `${i + 1}. ${rule}`).join("\n"),
    "The rules are those of `src/trace/story-merge.ts`. Where the stories may differ:",
    rows.join("\n"),
    WAITING,
    ...(unexplained.length > 0 ? ["Where they did, and nobody knows why:", unexplained.join("\n")] : []),
  ];
}

function document({ rows }: Report): string {
  const all = rows.flatMap(({ differences }) => differences);
  const cases = rows.reduce((sum, one) => sum + one.cases, 0);
  const counts = rows.map(
    ({ situation, cases: count, differences }) => `| ${situation} | ${count} | ${differences.length} |`,
  );
  const known = KNOWN.map(({ what, reason, covers }) =>
    section(what[0]!.toUpperCase() + what.slice(1), reason, all.filter(covers)),
  );
  const rest = all.filter((difference) => !KNOWN.some(({ covers }) => covers(difference)));
  const unexplained = rest.length > 0 ? [section("Unexplained", "To be mended.", rest)] : [];
  return `${[
    "# The model and the kernel",
    "`npm run model-vs-kernel` wrote this page. The same segment went to a socket of the kernel and to the model's `linux` profile (`src/tcp`), in every state: each combination of FIN, SYN, RST and ACK, with numbers at, below and above each edge of the window and of what was sent, with and without data. Compared is what each answers at once, and its next state. `test/tcp/differential.netns.test.ts` holds the model to it.",
    `Linux ${release().split("-")[0]}: ${cases} cases, ${all.length} different.`,
    ["| state | cases | different |", "| --- | --- | --- |", ...counts].join("\n"),
    "## Different, and why",
    "Numbers are relative: those of the answer to the kernel's first, its acknowledgement to what it had received before.",
    ...known,
    ...unexplained,
    ...stories(),
    "## The profiles",
    "Where `linux` leaves `rfc9293`. What each means, and where it comes from, stands in `src/tcp/profile.ts`; `test/tcp/profiles.test.ts` has a test for each. Names that end in `Us` are microseconds.",
    profiles(),
    "## What the model does not have",
    "Selective acknowledgement (RFC 2018), urgent data, keep-alives, ICMP, ECN and TCP Fast Open. A TIME-WAIT that has given way to a SYN does not come back where that was an old duplicate (RFC 9293 section 3.6.1, MAY-2); Linux's does not either. Data on a SYN are not taken: they come again with the next segment. Congestion control is NewReno (RFC 5681, RFC 6582). A connection is given up after so many retransmissions, where Linux counts the time that they would have taken. Buffers have a size and keep it, where Linux lets them grow; tail losses are found by the retransmission timer, where Linux probes for them sooner (RFC 8985). TCP_QUICKACK is remembered by a connection only, not from before it. What MSG_MORE holds back goes when a segment arrives, but for data that acknowledge nothing new; on Linux with these, too, where header prediction fails (for want of memory, for instance). SIOCOUTQ after a connect that has failed: Linux answers it with what is left of its sequence numbers.",
  ].join("\n\n")}\n`;
}

writeFileSync(DOCUMENT, document(compareAll()));
