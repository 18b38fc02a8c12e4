/** `lastack view`: a stored trace, drawn again. */
import { readTrace } from "../trace/schema.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { inputName, readInput } from "./input.ts";
import { parseOptions } from "./options.ts";
import {
  checkPcapHost,
  checkViews,
  showTrace,
  takesOutput,
  VIEW_OPTIONS,
  writeFiles,
  type ViewOptions,
} from "./views.ts";

export const help = `lastack view: draw a stored trace again

Usage: lastack view FILE [options]

FILE is what 'lastack lab run ID --json FILE' wrote; '-' is standard input.

Options
      --width N          columns of the drawing; the terminal's, without
      --json FILE        the trace again; '-', here and below, is standard output
      --svg FILE         the drawing as SVG
      --html FILE        a report in one file
      --pcap FILE        every packet, for Wireshark (pcapng)
      --pcap-host NAME   with --pcap: as that host's own interface saw it
      --packetdrill      print the trace in packetdrill's notation

Examples
  lastack view trace.json
  lastack view trace.json --svg ladder.svg
  lastack lab run restart --json - | lastack view - --packetdrill
`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseOptions({ args, allowPositionals: true, options: VIEW_OPTIONS });
  const options: ViewOptions = values;
  const [file, more] = positionals;
  if (file === undefined || more !== undefined) throw new UsageError("view takes one file, or - for standard input");
  checkViews(options);
  const read = readTrace(readInput(file, "'lastack lab run ID --json FILE' writes a trace"));
  if (!read.ok) throw new UsageError(`${inputName(file)} is not a trace: ${read.where}: ${read.problem}`);
  checkPcapHost(
    options,
    read.trace.hosts.map(({ name }) => name),
  );
  const { json, svg, html, pcap } = options;
  const toFiles = [json, svg, html, pcap].some((name) => name !== undefined);
  if (!takesOutput(options) && (!toFiles || options.packetdrill)) showTrace(read.trace, options);
  await writeFiles([read.trace], options);
  return EXIT.ok;
}
