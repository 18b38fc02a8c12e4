/** `npm run catalogue`: writes what docs/experiments.md takes from the code, the table of experiments and the example. */
import { readFileSync, writeFileSync } from "node:fs";
import { CATALOGUE } from "../src/lab/catalogue/index.ts";

const DOCUMENT = new URL("../docs/experiments.md", import.meta.url);
const EXAMPLE = new URL("../examples/first-fin-lost.ts", import.meta.url);

function table(): string {
  const rows = CATALOGUE.map(({ id, claims, title }) => `| \`${id}\` | ${claims.join(", ")} | ${title} |`);
  return ["| id | claims | |", "| --- | --- | --- |", ...rows].join("\n");
}

function between(text: string, mark: RegExp, end: string, contents: string): string {
  const start = mark.exec(text)!;
  const from = start.index + start[0].length;
  return `${text.slice(0, from)}\n\n${contents}\n\n${text.slice(text.indexOf(end, from))}`;
}

/** The document with the parts that come from the code made anew; tables are not aligned. */
export function update(text: string): string {
  const code = `\`\`\`ts\n${readFileSync(EXAMPLE, "utf8")}\`\`\``;
  const withTable = between(text, /<!-- catalogue[^>]*-->/, "<!-- /catalogue", table());
  return between(withTable, /<!-- example -->/, "<!-- /example", code);
}

if (process.argv[2] === "--write") writeFileSync(DOCUMENT, update(readFileSync(DOCUMENT, "utf8")));
