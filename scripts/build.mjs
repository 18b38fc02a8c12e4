// Builds dist/: the command line as one CommonJS file, which starts faster than modules, behind a few lines that load it
// from V8's code cache; and the library as modules with their types.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");

/** One entry as the text of a CommonJS file, ASCII only. */
async function bundle(entry, define, banner = "") {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20.19",
    format: "cjs",
    external: ["koffi"],
    minify: true,
    define: { "import.meta.dirname": "__dirname", ...define },
    banner: { js: banner },
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

const program = await bundle("src/cli/main.ts", { LASTACK_VERSION: JSON.stringify(version) });
const name = `lastack-${createHash("sha256").update(program).digest("hex").slice(0, 12)}.cjs`;
writeFileSync(`dist/${name}`, program);
const define = { LASTACK_BUNDLE: JSON.stringify(name) };
writeFileSync("dist/lastack.cjs", await bundle("src/cli/bin.ts", define, "#!/usr/bin/env node"));
chmodSync("dist/lastack.cjs", 0o755);
// The first start leaves the cache for the Node that builds.
execFileSync(process.execPath, ["dist/lastack.cjs", "ls", "--listen"], { stdio: "ignore" });

execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.library.json"], { stdio: "inherit" });
