/** The views of traces that `lab run` and `view` offer: on the terminal, and as files. */
import { accessSync, constants, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Trace } from "../trace/trace.ts";
import { drawLadder } from "../view/ladder/ladder.ts";
import { formatPacketdrill } from "../view/packetdrill.ts";
import { UsageError } from "./exit-status.ts";
import { errnoText, IncompleteFile } from "./file-error.ts";
import { writeOut } from "./output.ts";
import { terminalColumns } from "./terminal.ts";
import { parseInteger } from "./values.ts";
import { toJson } from "../view/escape.ts";

export interface ViewOptions {
  width?: string;
  json?: string;
  svg?: string;
  html?: string;
  pcap?: string;
  "pcap-host"?: string;
  packetdrill?: boolean;
}

export const VIEW_OPTIONS = {
  width: { type: "string" },
  json: { type: "string" },
  svg: { type: "string" },
  html: { type: "string" },
  pcap: { type: "string" },
  "pcap-host": { type: "string" },
  packetdrill: { type: "boolean" },
} as const;

const DEFAULT_WIDTH = 100;
const MIN_WIDTH = 60;
const MAX_WIDTH = 240;

interface Style {
  width: number;
  colour: boolean;
  unicode: boolean;
}

/** How to draw for whoever reads standard output. */
export function terminalStyle({ width }: Pick<ViewOptions, "width">): Style {
  const terminal = terminalColumns();
  const { NO_COLOR, TERM, LC_ALL, LC_CTYPE, LANG } = process.env;
  // Set to "C" or "POSIX", the locale has no characters but ASCII; not set, everything in use today has.
  const locale = LC_ALL || LC_CTYPE || LANG || "";
  return {
    width:
      width === undefined
        ? Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, terminal ?? DEFAULT_WIDTH))
        : parseInteger(width, "--width", MIN_WIDTH, MAX_WIDTH),
    colour: terminal !== undefined && !NO_COLOR && TERM !== "dumb",
    unicode: !/^(C|POSIX)$/.test(locale),
  };
}

function filesOf({ json, svg, html, pcap }: ViewOptions): string[] {
  return [json, svg, html, pcap].filter((file) => file !== undefined);
}

/** Standard output is a file's: nothing else is written there. */
export function takesOutput(options: ViewOptions): boolean {
  return filesOf(options).includes("-");
}

/** Finds out before a long run, not behind it, that something can't be drawn or written as asked. */
export function checkViews(options: ViewOptions, experiments = 1): void {
  terminalStyle(options);
  const { svg, pcap, "pcap-host": host } = options;
  if (host !== undefined && pcap === undefined) throw new UsageError("--pcap-host goes with --pcap");
  for (const [option, file] of Object.entries({ "--pcap": pcap, "--svg": svg })) {
    if (file !== undefined && experiments > 1)
      throw new UsageError(`${option} takes one experiment; --html takes many`);
  }
  const files = filesOf(options);
  if (files.filter((file) => file === "-").length > 1) {
    throw new UsageError("only one of the files can be '-', standard output");
  }
  for (const file of files) {
    if (file === "-") continue;
    if (file === "") throw new UsageError("a file has no name: --json, --svg, --html and --pcap take one");
    try {
      const there = statSync(file, { throwIfNoEntry: false });
      if (there?.isDirectory()) throw new UsageError(`${file} is a directory`);
      accessSync(there ? file : dirname(file), constants.W_OK);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`${file} can't be written: ${errnoText(error)}`);
    }
  }
}

/** The same of the host whose capture is asked for; `hosts`: the names of all. */
export function checkPcapHost({ "pcap-host": host }: ViewOptions, hosts: readonly string[]): void {
  if (host === undefined || hosts.includes(host)) return;
  throw new UsageError(`--pcap-host ${host}: the hosts are ${hosts.join(", ")}`);
}

/** Draws a trace on standard output. */
export function showTrace(trace: Trace, options: ViewOptions): void {
  writeOut(options.packetdrill ? formatPacketdrill(trace) : drawLadder(trace, terminalStyle(options)));
}

/** Writes to a file, or to standard output if that is `-`. */
export function writeFile(file: string, contents: string | Uint8Array): void {
  if (file === "-") return writeOut(contents);
  try {
    writeFileSync(file, contents);
  } catch (error) {
    throw new IncompleteFile(file, error);
  }
}

/** The capture, of one host's interface if that is asked for. */
async function capture(trace: Trace, host: string | undefined): Promise<Uint8Array> {
  const { toPcapng } = await import("../view/capture.ts");
  const startedAtUs = BigInt(trace.startedAtMs ?? 0) * 1000n;
  return toPcapng(trace, startedAtUs, host === undefined ? {} : { host });
}

/** Writes the files that are asked for. */
export async function writeFiles(traces: readonly Trace[], options: ViewOptions): Promise<void> {
  const { json, svg, html, pcap, "pcap-host": host } = options;
  if (json !== undefined) {
    const document = traces.length === 1 ? traces[0] : { schema: 1, traces };
    writeFile(json, `${toJson(document, 1)}\n`);
  }
  if (pcap !== undefined) writeFile(pcap, await capture(traces[0]!, host));
  if (svg !== undefined) {
    const { drawSvg } = await import("../view/svg/svg.ts");
    writeFile(svg, drawSvg(traces[0]!));
  }
  if (html !== undefined) {
    const { drawHtml } = await import("../view/html/html.ts");
    writeFile(html, drawHtml(traces));
  }
}
