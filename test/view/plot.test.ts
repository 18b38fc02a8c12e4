/** Plots of sweeps. */
import { expect, test } from "vitest";
import { drawPlot, type Plot } from "../../src/view/plot.ts";
import { drawPlotSvg } from "../../src/view/svg/plot.ts";

const plot: Plot = {
  title: "A <title> & more",
  setting: "msl",
  conditions: "here, \u001b[31mred",
  points: [
    { label: "0", runs: 4, wrong: 4, reason: "it was <too> short" },
    { label: "1s", runs: 4, wrong: 1, reason: "bad luck" },
    { label: "2s", runs: 4, wrong: 0 },
  ],
};

test("on the terminal: a line a value, as long as it went wrong", () => {
  const text = drawPlot(plot, { width: 100, unicode: true });
  expect(text).toContain(" 0      4 of 4  ████████████████████████    100 %  it was <too> short\n");
  expect(text).toContain("1s      1 of 4  ██████                       25 %  bad luck\n");
  expect(text).toContain("2s      0 of 4                                0 %\n");
  expect(text).not.toContain("\u001b");
});

test("in ASCII, and no wider than the terminal", () => {
  const lines = drawPlot(plot, { width: 30, unicode: false }).split("\n");
  expect(lines.some((line) => line.includes("####"))).toBe(true);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(30);
});

test("as SVG: a place for each value, the higher the more often it went wrong, and nothing unescaped", () => {
  const svg = drawPlotSvg(plot);
  const places = [...svg.matchAll(/<circle class="dot" cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [+x!, +y!]);
  expect(places).toHaveLength(3);
  expect(places[0]![0]).toBeLessThan(places[1]![0]!);
  expect(places[0]![1]).toBeLessThan(places[1]![1]!);
  expect(places[1]![1]).toBeLessThan(places[2]![1]!);
  expect(svg).toContain("A &lt;title&gt; &amp; more");
  expect(svg).not.toContain("\u001b");
  expect(svg.match(/<title/g)).toHaveLength(4);
});
