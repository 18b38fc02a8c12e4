// Builds dist/: the command line as one CommonJS file, which starts faster than modules, behind a few lines that load it
// from V8's code cache; and the library as modules with their types.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { version, devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");

// No garbage collector: there are no objects. The memory (src/view/wasm/layout.ts) has a page for the tables; the caller
// enlarges it to what it needs.
const ASC_OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--initialMemory", "1"];

/**
 * The formatter of rows, compiled from AssemblyScript to WebAssembly, as a module of TypeScript. Compiling takes seconds,
 * so it is left out while the sources are those that the module was made from.
 */
async function compileRows() {
  const module = "src/view/wasm/binary.ts";
  const sources = ["layout.ts", "assembly/rows.ts", "assembly/text.ts"].map((name) => `src/view/wasm/${name}`);
  const hash = createHash("sha256").update([devDependencies.assemblyscript, ...ASC_OPTIONS].join(" "));
  for (const source of sources) hash.update(readFileSync(source));
  const head = `// Made by scripts/build.mjs from ${hash.digest("hex")}.\n`;
  if (existsSync(module) && readFileSync(module, "utf8").startsWith(head)) return;
  const { default: asc } = await import("assemblyscript/asc");
  let binary;
  const { error, stderr } = await asc.main(
    ["src/view/wasm/assembly/rows.ts", "--outFile", "rows.wasm", ...ASC_OPTIONS],
    {
      writeFile: (_name, contents) => void (binary = contents),
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  // Numbers: V8's code cache has them ready, whereas base64 costs a start 1 ms.
  const lines = [...binary].join(", ").replace(/(.{100,116},) /g, "$1\n  ");
  writeFileSync(module, `${head}export const ROWS_WASM = new Uint8Array([\n  ${lines},\n]);\n`);
}

/** A module, by its path or its text, with all that it imports, as the text of a CommonJS file (or, by `format`, a module), ASCII only. */
async function bundle(entry, { define = {}, banner = "", plugins = [], format = "cjs" } = {}) {
  const { outputFiles } = await build({
    ...(existsSync(entry)
      ? { entryPoints: [entry] }
      : { stdin: { contents: entry, resolveDir: process.cwd(), loader: "ts" } }),
    bundle: true,
    write: false,
    platform: "node",
    target: "node20.19",
    format,
    // A script from V8's code cache can't import: what is left of import() is a require.
    supported: { "dynamic-import": false },
    external: ["koffi"],
    minify: true,
    define: { "import.meta.dirname": "__dirname", ...define },
    banner: { js: banner },
    plugins,
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

/** What all bundles of the command line must have once: state, and classes of errors that are told by their class. */
const SHARED = [
  "src/sys/index.ts",
  "src/cli/output.ts",
  "src/cli/exit-status.ts",
  "src/linux/port-sockets.ts",
  "src/linux/sockets.ts",
  "src/linux/netlink-error.ts",
  "src/linux/sock-diag.ts",
  "src/linux/socket-table.ts",
];
/** What comes in files of its own, which nobody waits for who does not call it; an earlier one may be asked for by a later. */
const APART = [
  "src/cli/ls.ts",
  "src/cli/why-host.ts",
  "src/cli/why.ts",
  "src/cli/ports.ts",
  "src/cli/experiments.ts",
  "src/cli/programs.ts",
];

/** Who imports what a bundle is made of, where that is a text. */
const ENTRY = "<stdin>";

const isModule = ({ path, importer }, modules) =>
  importer !== "" &&
  importer !== ENTRY &&
  modules.find((module) => resolve(dirname(importer), path) === resolve(module));

/** Has some modules asked for at run time, by what `nameOf` maps them to. */
const askFor = (nameOf) => ({
  name: "ask for modules",
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, (request) => {
      const module = isModule(request, [...nameOf.keys()]);
      return module ? { path: nameOf.get(module), external: true } : undefined;
    });
  },
});

/** The names that a module exports. */
async function exportsOf(module) {
  const options = { bundle: true, write: false, platform: "node", format: "esm", external: ["koffi"], metafile: true };
  const { metafile } = await build({ entryPoints: [module], ...options });
  return Object.values(metafile.outputs)[0].exports;
}

/**
 * What a main bundle exports: the program, with a command or without, and the shared modules, which src/cli/bin.ts hands
 * to the bundles apart. They
 * are imported and named one by one: required, or imported as a whole, they would cost every start a function around each
 * module and an accessor for each name.
 */
async function mainEntry(command) {
  const shared = SHARED.map(async (module, i) => {
    const names = (await exportsOf(module)).map((name) => `${name}: shared${i}.${name}`);
    return `"${module}": () => ({ ${names.join(", ")} })`;
  });
  return `${SHARED.map((module, i) => `import * as shared${i} from "./${module}";`).join("\n")}
    export const shared = { ${(await Promise.all(shared)).join(",\n")} };
    ${command ? `import * as ${command} from "./src/cli/${command}.ts";` : ""}
    import { main as program } from "./src/cli/main.ts";
    export const main = (args) => program(args, { ${command ?? ""} });
    export { exit, hasAskedKernel } from "./src/cli/main.ts";`;
}

/** Writes a bundle under a name that changes with it: V8 compares no more than its length with that of a cache. */
function writeBundle(kind, text) {
  const name = `${kind}-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.cjs`;
  writeFileSync(`dist/${name}`, text);
  return name;
}

/** A module in a file of its own; some of what it imports it asks for, by the names of their files. */
async function writeModule(module, fileOf = new Map()) {
  return `./${writeBundle(basename(module, ".ts"), await bundle(module, { plugins: [askFor(fileOf)] }))}`;
}

await compileRows();
const sharedNames = new Map(SHARED.map((module) => [module, module]));
const apartNames = new Map();
for (const module of APART) apartNames.set(module, await writeModule(module, new Map([...sharedNames, ...apartNames])));
// The preload of Node programs, in parts, each of which is read when it is needed. The FFI is opened once for all.
const ffi = new Map([["src/sys/ffi.ts", await writeModule("src/sys/ffi.ts")]]);
const explaining = ["src/node/explain-listen.ts", await writeModule("src/node/explain-listen.ts", ffi)];
const listenError = await writeModule("src/node/listen-error.ts", new Map([...ffi, explaining]));
// Twice: a CommonJS file that is imported costs a start 2 ms, for the lexer of its exports.
for (const [format, here] of Object.entries({ cjs: "__filename", esm: "import.meta.url" })) {
  const define = { LASTACK_LISTEN_ERROR: JSON.stringify(listenError), "import.meta.url": here };
  writeFileSync(
    `dist/register.${format === "cjs" ? "cjs" : "mjs"}`,
    await bundle("src/node/register.ts", { define, format }),
  );
}

writeFileSync("dist/lab-process.cjs", await bundle("src/world/kernel/child-main.ts"));
writeFileSync("dist/prove-worker.cjs", await bundle("src/cli/prove-worker.ts"));
/** A main bundle, by its file's name. */
async function writeMain(command) {
  const define = { LASTACK_VERSION: JSON.stringify(version) };
  const options = { define, plugins: [askFor(apartNames)] };
  return JSON.stringify(
    writeBundle(command ? `lastack-${command}` : "lastack", await bundle(await mainEntry(command), options)),
  );
}

// `ls` is in a hurry: it comes in one file with what all commands need.
const define = { LASTACK_MAIN: await writeMain(), LASTACK_LS: await writeMain("ls") };
writeFileSync("dist/lastack.cjs", await bundle("src/cli/bin.ts", { define, banner: "#!/usr/bin/env node" }));
chmodSync("dist/lastack.cjs", 0o755);
// The first start leaves the cache for the Node that builds.
execFileSync(process.execPath, ["dist/lastack.cjs", "ls", "--listen"], { stdio: "ignore" });

execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.library.json"], { stdio: "inherit" });
// valibot, which checks scenarios, is no dependency of the package: it is put into the one module that imports it.
await build({
  entryPoints: ["src/bind/scenario.ts"],
  outfile: "dist/library/bind/scenario.js",
  bundle: true,
  platform: "neutral",
  target: "es2022",
  format: "esm",
  plugins: [
    {
      name: "leave the project's modules",
      setup: ({ onResolve }) =>
        onResolve({ filter: /^\./ }, ({ path, importer }) =>
          importer.includes("/src/") ? { path: path.replace(/\.ts$/, ".js"), external: true } : undefined,
        ),
    },
  ],
  logLevel: "warning",
});
