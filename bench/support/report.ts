/** docs/performance.md: each bench writes a section of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";

const REPORT = fileURLToPath(new URL("../../docs/performance.md", import.meta.url));

/** Where the numbers of a section come from. */
export const MACHINE = `${cpus().length} processors, Linux ${release().split("-")[0]}, Node ${process.versions.node}`;

/** Writes the section with this title, in the place of the one that is there. */
export function writeSection(title: string, text: string): void {
  const heading = `## ${title}\n`;
  const sections = readFileSync(REPORT, "utf8")
    .split(/^(?=## )/m)
    .map((section) => section.trim());
  const at = sections.findIndex((section) => section.startsWith(heading));
  sections.splice(at < 0 ? sections.length : at, 1, `${heading}\n${text.trim()}`);
  writeFileSync(REPORT, `${sections.join("\n\n")}\n`);
}
