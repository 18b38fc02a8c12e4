/** Ladders and reports in a real browser: what is drawn can be read, at every width, light and dark. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect } from "vitest";
import type { BrowserContext, Page } from "playwright-core";
import { drawHtml } from "../../src/view/html/html.ts";
import { meet, type Box } from "../../src/view/svg/geometry.ts";
import { drawSvg } from "../../src/view/svg/svg.ts";
import { launchBrowser } from "../support/browser.ts";
import { testNeeding } from "../support/needs.ts";
import { sampleTraces } from "../support/traces.ts";

const folder = mkdtempSync(join(tmpdir(), "lastack-page-"));
let browser: Promise<BrowserContext> | undefined;

const context = () => (browser ??= launchBrowser(folder));

afterAll(async () => {
  await (await browser)?.close();
  rmSync(folder, { recursive: true, maxRetries: 5 });
});

interface Opened {
  page: Page;
  /** What the page asked for, and what went wrong. */
  requests: string[];
  complaints: string[];
}

/** Opens a text as a file, looks at it, and closes it. */
async function withPage(name: string, text: string, look: (opened: Opened) => Promise<void>): Promise<void> {
  const path = join(folder, name);
  writeFileSync(path, text);
  const page = await (await context()).newPage();
  try {
    const opened: Opened = { page, requests: [], complaints: [] };
    page.on("request", (request) => opened.requests.push(request.url()));
    page.on("console", (message) => opened.complaints.push(message.text()));
    page.on("pageerror", (error) => opened.complaints.push(String(error)));
    await page.goto(pathToFileURL(path).href);
    await look(opened);
    expect(opened.complaints).toEqual([]);
    expect(opened.requests).toEqual([pathToFileURL(path).href]);
  } finally {
    await page.close();
  }
}

interface Measured {
  texts: { text: string; box: Box }[];
  /** The drawing's own edges, and as far as its container can be scrolled. */
  drawing: Box;
  reachable: { left: number; right: number };
}

/** Runs in the page. Boxes are in pixels of the page, turned where their texts are. */
const MEASURE = `[...document.querySelectorAll("svg.ladder")].map((svg) => {
  const corners = ({ x, y, width, height }, matrix) =>
    [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
      .map(([px, py]) => new DOMPoint(px, py).matrixTransform(matrix))
      .map((point) => ({ x: point.x, y: point.y }));
  const container = svg.closest(".scroll");
  const at = container?.getBoundingClientRect();
  return {
    texts: [...svg.querySelectorAll("text")].map((text) => ({
      text: [...text.childNodes].filter((node) => node.nodeName !== "title").map((node) => node.textContent).join(""),
      box: corners(text.getBBox(), text.getScreenCTM()),
    })),
    drawing: corners(svg.viewBox.baseVal, svg.getScreenCTM()),
    reachable: container
      ? { left: at.left, right: at.left + container.clientLeft + container.scrollWidth + 0.5 }
      : { left: 0, right: Infinity },
  };
})`;

const xs = (box: Box) => box.map(({ x }) => x);
const ys = (box: Box) => box.map(({ y }) => y);

/** Every pair of texts of a drawing that overlap, and every text that is not all inside of it. */
function faults({ texts, drawing, reachable }: Measured): string[] {
  const found: string[] = [];
  for (const [i, { text, box }] of texts.entries()) {
    const left = Math.max(Math.min(...xs(drawing)), reachable.left);
    const right = Math.min(Math.max(...xs(drawing)), reachable.right);
    const inside =
      Math.min(...xs(box)) >= left &&
      Math.max(...xs(box)) <= right &&
      Math.min(...ys(box)) >= Math.min(...ys(drawing)) &&
      Math.max(...ys(box)) <= Math.max(...ys(drawing));
    if (!inside) found.push(`cut: ${text}`);
    for (const other of texts.slice(i + 1)) if (meet(box, other.box)) found.push(`overlap: ${text} | ${other.text}`);
  }
  return found;
}

const SCHEMES = ["light", "dark"] as const;
const WIDTHS = [400, 1400];

testNeeding(["Chromium"], "every label of every ladder of a report can be read", async () => {
  const traces = sampleTraces();
  await withPage("report.html", drawHtml(traces), async ({ page }) => {
    const papers = new Set<unknown>();
    for (const colorScheme of SCHEMES) {
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        papers.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
        const measured = (await page.evaluate(MEASURE)) as Measured[];
        expect(measured.map(({ texts }) => texts.length > 20)).toEqual(traces.map(() => true));
        expect(measured.flatMap(faults), `${colorScheme}, ${width} px`).toEqual([]);
        // Ladders scroll in their containers; the page does not.
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      }
    }
    expect(papers.size).toBe(SCHEMES.length);
  });
});

testNeeding(["Chromium"], "a report runs nothing, and carries its traces", async () => {
  const traces = sampleTraces();
  await withPage("report.html", drawHtml(traces, { title: "Report" }), async ({ page }) => {
    expect(await page.title()).toBe("Report");
    const scripts = await page.evaluate("[...document.scripts].map(({ type, textContent }) => [type, textContent])");
    const data = (scripts as [string, string][]).map(([type, text]) => [type, JSON.parse(text) as unknown]);
    expect(data).toEqual(traces.map((trace) => ["application/json", JSON.parse(JSON.stringify(trace)) as unknown]));
    expect(await page.evaluate("document.images.length")).toBe(0);
  });
});

testNeeding(["Chromium"], "ladders are XML, and can be read on their own", async () => {
  for (const trace of sampleTraces()) {
    await withPage("ladder.svg", drawSvg(trace), async ({ page }) => {
      expect(await page.evaluate("document.querySelector('parsererror')?.textContent")).toBeUndefined();
      expect(await page.evaluate("document.documentElement.nodeName")).toBe("svg");
      const papers = new Set<unknown>();
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        papers.add(await page.evaluate("getComputedStyle(document.querySelector('.paper')).fill"));
        const measured = (await page.evaluate(MEASURE)) as Measured[];
        expect(measured.flatMap(faults), `${trace.experiment.id}, ${colorScheme}`).toEqual([]);
      }
      expect(papers.size).toBe(SCHEMES.length);
    });
  }
});
