/**
 * Starts the command line from V8's code cache. Compiling the bundle takes longer than most commands run; V8 can keep
 * the result, but only for its own version, so each Node that runs lastack leaves its cache beside the bundle, where it
 * may write there, and reads it from then on. Nothing is written anywhere else.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

/** Put in by the build. The name changes with the bundle: V8 itself compares no more than its length. */
declare const LASTACK_BUNDLE: string;

type Main = typeof import("./main.ts");

function readCache(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function writeCache(path: string, script: Script): void {
  try {
    // Renamed when complete, so that no other start reads half of it.
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, script.createCachedData());
    renameSync(unfinished, path);
  } catch {
    // Installed by somebody else: it stays as slow as it was.
  }
}

const bundle = join(import.meta.dirname, LASTACK_BUNDLE);
const cachePath = `${bundle}.${process.versions.v8}-${process.arch}.cache`;
const cachedData = readCache(cachePath);
const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, "latin1")}\n})`;
const script = new Script(source, { filename: bundle, ...(cachedData && { cachedData }) });
const loaded = { exports: {} as Main };
script.runInThisContext()(loaded.exports, require, loaded, bundle, import.meta.dirname);

async function start(): Promise<void> {
  const status = await loaded.exports.main(process.argv.slice(2));
  if (!cachedData || script.cachedDataRejected) writeCache(cachePath, script);
  loaded.exports.exit(status);
}
void start();
