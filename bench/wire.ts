/**
 * `npm run bench`: what the lab's wire adds to a packet, over TUN and over veth pairs. Prints a table and writes it to
 * docs/performance.md. Takes some seconds; needs root (or a user namespace).
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { median } from "./support/harness.ts";
import { MACHINE, writeSection } from "./support/report.ts";
import type { Batch } from "./support/round-trips.ts";

const PROGRAM = fileURLToPath(new URL("support/round-trips.ts", import.meta.url));
const BUNDLE = fileURLToPath(new URL("../dist/round-trips.cjs", import.meta.url));
/** Short ones, so that what the machine does beside falls into few of them. */
const ROUND_TRIPS = 10;
const BATCHES = 1000;

delete process.env["NODE_EXTRA_CA_CERTS"];
// As it is delivered: what runs TypeScript as it stands makes functions slower.
buildSync({
  entryPoints: [PROGRAM],
  outfile: BUNDLE,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "cjs",
  external: ["koffi"],
  define: { "import.meta.dirname": "__dirname" },
});

const rows = ["tun", "veth"].map((link) => {
  const output = execFileSync(process.execPath, [BUNDLE, link, `${BATCHES}`, `${ROUND_TRIPS}`], { encoding: "utf8" });
  const batches = JSON.parse(output) as Batch[];
  const medianUs = (us: (batch: Batch) => number) => `${median(batches.map(us)).toFixed(0)} us`;
  const columns = [
    medianUs(({ wireUs }) => wireUs),
    medianUs(({ pairUs }) => pairUs),
    medianUs(({ wireUs, pairUs }) => wireUs - pairUs),
  ];
  const row = `| ${link} | ${columns.join(" | ")} |`;
  process.stdout.write(`${row}\n`);
  return row;
});
rmSync(BUNDLE);

writeSection(
  "The lab's wire",
  `Written by \`npm run bench\` (bench/wire.ts): round trips of one byte between two sockets in two network namespaces, over
the lab's wire and over a plain veth pair, ${BATCHES} batches of ${ROUND_TRIPS} in turn. Times are per packet, medians; the last column is
the median of the pairs' differences (${MACHINE}).

| link | over the wire | veth pair | the wire adds |
|---|---|---|---|
${rows.join("\n")}

Of every packet the wire reads the bytes, decodes them, asks the rules, writes down that it was sent and delivered, hands it
to the other host, and asks the kernel what state the socket is in then.
`,
);
