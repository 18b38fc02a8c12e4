/** `lastack lab`: experiments on the real kernel, or on a model. */
import { CATALOGUE } from "../lab/catalogue/index.ts";
import type { Experiment } from "../lab/experiment.ts";
import { SETTINGS } from "../world/model/setting-names.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { writeOut } from "./output.ts";
import { toJson } from "../view/escape.ts";

const SETTING_WIDTH = 17;

function settingsHelp(): string {
  const more = {
    profile: "linux, or rfc9293: TCP as the RFC has it where Linux leaves it",
    "net.ipv4.NAME": "a parameter of the kernel's that every host begins with",
  };
  const lines = Object.entries(SETTINGS).map(([name, { help: text }]) => [name, text] as const);
  return [...lines, ...Object.entries(more)]
    .map(([name, text]) => `      ${name.padEnd(SETTING_WIDTH)}  ${text}`)
    .join("\n");
}

export const help = `lastack lab: experiments with TCP connections, on the real kernel or on a model

Usage: lastack lab list [--json]
       lastack lab show ID
       lastack lab run ID... [options]
       lastack lab run --all [options]

An experiment makes hosts out of network namespaces, runs processes on them, passes every packet through a wire that
drops, holds and duplicates what the story asks for, and tells what happened: calls and their results, segments and
their fate, the states of both ends as the kernel reports them, and whether the claim holds. Nothing else on this host
is touched. As root or not.

With --on model the hosts are modelled, and so is time: the same experiments on any system, without privileges, in no
time, and the same every time.

Options of run
      --on kernel|model  where it runs; on the kernel, without
      --server CMD       run the restart story against a program of yours: does it survive a restart?
      --repeat N         run N times, and say how often the expectations held
      --link tun|veth    how hosts are joined to the wire; by TUN where that can be had, without
      --width N          columns of the drawing; the terminal's, without
      --json FILE        the trace (docs/trace.md); '-', here and below, is standard output
      --svg FILE         the drawing as SVG
      --html FILE        a report in one file, of one or of all experiments
      --pcap FILE        every packet, for Wireshark (pcapng)
      --pcap-host NAME   with --pcap: as that host's own interface saw it
      --packetdrill      print the trace in packetdrill's notation

With --on model
      --set NAME=VALUE   what no kernel lets you choose; may be given several times
      --seed N           of all that is left to chance (1, without); --repeat takes the next one each time
      --sweep NAME=FROM..TO[/STEP]
                         run with one value after another, and tell how often it goes wrong, as a table and a plot; each
                         value 50 times where chance plays a part, or --repeat times; --svg and --json take files

Settings
${settingsHelp()}

Exit status: 0 all expectations were met; 1 one was not, or the server does not survive; 2 the command line was not
understood; 3 it could not run here, for want of a permission or a capability.

Examples
  lastack lab run restart
  lastack lab run restart --server 'node server.js'
  lastack lab run last-ack-lost --pcap last-ack.pcapng
  lastack lab run --all --html report.html
  lastack lab run --all --on model
  lastack lab run last-ack-lost --on model --set msl=50ms
  lastack lab run restart --on model --set loss=0.1 --seed 7
  lastack lab run half-close --on model --sweep loss=0..0.5 --svg plot.svg
`;

function list(args: string[]): number {
  const odd = args.find((argument) => argument !== "--json");
  if (odd !== undefined) throw new UsageError(`lab list takes no '${odd}'`);
  if (args.length > 0) {
    const experiments = CATALOGUE.map(({ id, title, claims, article }) => ({ id, title, claims, article }));
    writeOut(`${toJson({ schema: 1, experiments }, 2)}\n`);
    return EXIT.ok;
  }
  const width = Math.max(...CATALOGUE.map(({ id }) => id.length));
  for (const { id, title, claims } of CATALOGUE) {
    writeOut(`${id.padEnd(width)}  ${claims.join(" ").padEnd(8)}  ${title}\n`);
  }
  return EXIT.ok;
}

/** The experiment of this id. */
export function experimentNamed(id: string): Experiment {
  const experiment = CATALOGUE.find((candidate) => candidate.id === id);
  if (experiment) return experiment;
  const near = CATALOGUE.filter((candidate) => candidate.id.includes(id)).map((candidate) => candidate.id);
  const hint = near.length > 0 ? `did you mean ${near.join(", ")}?` : "lastack lab list names them";
  throw new UsageError(`there is no experiment '${id}'; ${hint}`);
}

function show(args: string[]): number {
  const [id, more] = args;
  if (id === undefined || more !== undefined) throw new UsageError("lab show takes the id of one experiment");
  const { title, claims, article } = experimentNamed(id);
  writeOut(`${title}\n\nid      ${id}\nclaims  ${claims.join(", ")}\n\nThe article: ${article}\n\n`);
  writeOut(`To run it:     lastack lab run ${id}\nIts story is in src/lab/catalogue/${id}.ts.\n`);
  return EXIT.ok;
}

export async function run([what, ...rest]: string[]): Promise<number> {
  switch (what) {
    case "list":
      return list(rest);
    case "show":
      return show(rest);
    case "run":
      return (await import("./lab-run.ts")).runLab(rest);
    default:
      throw new UsageError(what === undefined ? "lab what? list, show or run" : `lab knows no '${what}'`);
  }
}
