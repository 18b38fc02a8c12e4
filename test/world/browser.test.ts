/** The rooms that need no kernel run in a browser, and do there what they do in Node. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect } from "vitest";
import { makeDirectory, removeDirectory } from "../cli/helpers.ts";
import { experiments, proof } from "../fixtures/in-browser.ts";
import { launchBrowser } from "../support/browser.ts";
import { testNeeding } from "../support/needs.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/in-browser.ts", import.meta.url));

testNeeding(
  ["Chromium"],
  "every experiment in the model, and a proof, are in Chromium what they are here",
  async () => {
    const { outputFiles } = await build({
      entryPoints: [FIXTURE],
      bundle: true,
      write: false,
      platform: "browser",
      format: "iife",
      globalName: "lastack",
    });
    const folder = makeDirectory();
    const browser = await launchBrowser(folder);
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.addScriptTag({ content: outputFiles[0]!.text });
      const there = await page.evaluate<{
        experiments: ReturnType<typeof experiments>;
        proof: ReturnType<typeof proof>;
      }>("({ experiments: lastack.experiments(), proof: lastack.proof() })");
      expect(complaints).toEqual([]);
      expect(there).toEqual({ experiments: experiments(), proof: proof() });
      expect(new Set(Object.values(there.experiments).map(([status]) => status))).toEqual(new Set(["done"]));
      expect(there.proof.status).toBe("holds");
    } finally {
      await browser.close();
      removeDirectory(folder);
    }
  },
);
