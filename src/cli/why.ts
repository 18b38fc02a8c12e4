import type { SocketTable } from "../linux/socket-table.ts";
import { lookAtOnce, type Look } from "../remedy/look.ts";
import { ASK_HELP, ASK_OPTIONS, asksFor } from "./asks.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { parseOptions } from "./options.ts";
import { sayOut } from "./output.ts";
import { parseDuration } from "./values.ts";
import { answersAsJson } from "./why-json.ts";
import { answerText } from "./why-text.ts";

export const help = `lastack why: what keeps a port from being bound, who has it, and what helps

Usage: lastack why [ADDR:]PORT... [options]
       lastack [ADDR:]PORT...      the same
       lastack why                 what is wrong with this host's connections, from two looks

${ASK_HELP}
Options
      --no-probe       never bind, not even for the microseconds that prove an answer which the lists of sockets leave open
      --for TIME       without a port: how long to look, 3s by default
      --json           one JSON document

Exit status: 0 free (or nothing wrong), 1 blocked (or something is), 3 it cannot be told without more permissions

Examples
  lastack 3000                       who has port 3000, and how to get it
  lastack why 127.0.0.1:3000 8080    two ports, the first on one address
  lastack why 80 --user www-data     whether that user may bind port 80
  lastack why --for 10s              whose connections pile up
`;

function options(args: string[]) {
  return parseOptions({
    args,
    allowPositionals: true,
    options: {
      ...ASK_OPTIONS,
      "no-probe": { type: "boolean" },
      for: { type: "string" },
      json: { type: "boolean" },
    },
  });
}

export async function run(args: string[], begun?: { port: number; walk: Promise<SocketTable> }): Promise<number> {
  const { values, positionals } = options(args);
  const { "no-probe": noProbe, for: span, json, ...described } = values;
  if (positionals.length === 0) {
    if (noProbe || Object.values(described).some((value) => value !== undefined)) {
      throw new UsageError("which port? lastack why PORT, or for the whole host no option but --for and --json");
    }
    const { explainHost } = await import("./why-host.ts");
    return explainHost(parseDuration(span ?? "3s", "--for"), json === true);
  }
  if (span !== undefined) throw new UsageError("--for is for a look at the whole host: lastack why --for 10s");
  const questions = positionals.map((argument) => asksFor(described, argument));
  const answers: Look[] = [];
  for (const asks of questions) {
    const walk = begun?.port === asks[0]!.request.port ? begun.walk : undefined;
    begun = undefined; // a second look would be an old one
    answers.push(await lookAtOnce(asks, { probe: !noProbe }, walk));
  }
  if (json) {
    sayOut(answersAsJson(answers));
  } else {
    for (const [i, one] of answers.entries()) {
      if (i > 0) sayOut("\n");
      answerText(one, sayOut, !noProbe);
    }
  }
  const all = answers.map(({ diagnosis }) => diagnosis.answer);
  return all.includes("blocked") ? EXIT.no : all.includes("unknown") ? EXIT.permission : EXIT.ok;
}
