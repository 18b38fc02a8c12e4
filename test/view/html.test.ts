import { describe, expect, test } from "vitest";
import { escapeForHtml } from "../../src/view/escape.ts";
import { drawHtml } from "../../src/view/html/html.ts";
import { readMarkup, type Element } from "../support/markup.ts";
import { bulk, crowded, HOSTILE, lastAckLost, restart, sampleTraces } from "../support/traces.ts";

const named = (elements: readonly Element[], name: string) => elements.filter((element) => element.name === name);
const textsOf = (elements: readonly Element[], name: string) => named(elements, name).map(({ text }) => text);

test("markup and control characters are shown as text", () => {
  expect(escapeForHtml(`<b title="x">&amp;</b>'`)).toBe("&lt;b title=&quot;x&quot;&gt;&amp;amp;&lt;/b&gt;&#39;");
  expect(escapeForHtml("a\n\u0000\u001b\u202e\u2066\ufffe\ud800\\😀")).toBe(
    "a\\n\\x00\\x1b\\u202e\\u2066\\ufffe\\ud800\\\\😀",
  );
});

describe("a report", () => {
  const traces = sampleTraces();
  const page = readMarkup(drawHtml(traces, { title: "A <title>" }));

  test("closes every element, and needs nothing from elsewhere", () => {
    expect(textsOf(page, "title")[0]).toBe("A <title>");
    for (const { name, attributes } of page) {
      expect(["link", "img", "iframe", "object", "base", "form"]).not.toContain(name);
      expect(Object.keys(attributes).filter((key) => key === "src" || key.startsWith("on"))).toEqual([]);
      if (name === "a") expect(attributes["href"]).toMatch(/^#/);
    }
    expect(named(page, "style").map(({ text }) => /url\(|@import/.test(text))).toEqual([false]);
  });

  test("every id is there once, and every link leads to one", () => {
    const ids = page.flatMap(({ attributes }) => attributes["id"] ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const folded = new Set(named(page, "a").map(({ attributes }) => attributes["href"]!.slice(1)));
    expect([...folded].filter((target) => !ids.includes(target))).toEqual([]);
    const labels = page.flatMap(({ attributes }) => attributes["aria-labelledby"]?.split(" ") ?? []);
    expect(labels.filter((label) => !ids.includes(label))).toEqual([]);
  });

  test("says of each experiment what is claimed, what was seen, and how that fits", () => {
    expect(named(page, "section").length).toBe(traces.length);
    const summary = named(page, "table")[0]!.text;
    const words = ["holds", "failed", "holds partly", "does not hold", "not run"];
    for (const word of [...words, "both ends were in TIME-WAIT"]) expect(summary).toContain(word);
    const both = named(page, "section")[2]!.text;
    expect(both).toContain("both ends pass through CLOSING");
    expect(both).toContain("Not met: one end is spared TIME-WAIT");
    expect(both).toContain("It ends well.");
  });

  test("has the traces themselves in it, as they are", () => {
    const data = named(page, "script");
    expect(data.every(({ attributes }) => attributes["type"] === "application/json")).toBe(true);
    expect(data.map(({ text }) => JSON.parse(text) as unknown)).toEqual(JSON.parse(JSON.stringify(traces)));
  });
});

test("every event of a trace is in its table", () => {
  const trace = restart();
  const rows = textsOf(readMarkup(drawHtml([trace])), "tr").slice(3);
  expect(rows.length).toBe(trace.events.length);
  for (const words of [
    "bind 0.0.0.0:8000 = EADDRINUSE (98)",
    "segment 1 sent: SYN",
    "segment 1 delivered",
    "LAST-ACK → CLOSED",
    "FIN-WAIT-2 → TIME-WAIT (60.0 s)",
    "TIME-WAIT timer fired",
    "prints “client says: I am client”",
    "met: bind succeeds with SO_REUSEADDR",
  ])
    expect(
      rows.some((row) => row.includes(words)),
      words,
    ).toBe(true);
  const lost = textsOf(readMarkup(drawHtml([lastAckLost()])), "tr");
  expect(lost.some((row) => row.includes("dropped (the first ACK after a FIN)"))).toBe(true);
});

test("bulk transfer is one row", () => {
  const rows = textsOf(readMarkup(drawHtml([bulk(16, 255)])), "tr");
  expect(rows.length).toBeLessThan(60);
  expect(
    rows.filter((row) => /… 25[57] segments, [\d,]+ bytes from client; 8[56] segments from server/.test(row)),
  ).toHaveLength(2);
});

test("others' text can't leave its place", () => {
  const html = drawHtml([crowded()]);
  const page = readMarkup(html);
  expect(html.match(/<script/g)!.length).toBe(1);
  expect(html).not.toContain("<img");
  // eslint-disable-next-line no-control-regex
  expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  const trace = JSON.parse(textsOf(page, "script")[0]!) as { experiment: { claims: string[] } };
  expect(trace.experiment.claims).toEqual([HOSTILE.payload, HOSTILE.output]);
});
