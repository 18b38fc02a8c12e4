// `npm start`: builds, and tells the main story on the real kernel. Where this system grants no network namespace, the
// lab can't run; the story is told by the programs themselves then, on loopback and a free port.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const NOT_PERMITTED = 3;

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

function run(...args) {
  const { status, signal } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (signal !== null) process.kill(process.pid, signal);
  return status;
}

const built = run("scripts/build.mjs");
if (built !== 0) process.exit(built);
const status = run("dist/lastack.cjs", "lab", "run", "restart");
process.exit(status === NOT_PERMITTED ? run("dist/lastack.cjs", "demo") : status);
