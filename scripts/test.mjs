// `npm test`: builds, checks format, lint and types, then runs the tests. Arguments go to vitest. An ordinary user's
// tests run as root of a user namespace, where the system grants one: there they may make network namespaces.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

function run(command, ...args) {
  process.stdout.write(`> ${[command, ...args].join(" ")}\n`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const tool = (name) => `node_modules/.bin/${name}`;
run(process.execPath, "scripts/build.mjs");
run(tool("oxfmt"), "--check");
run(tool("oxlint"));
run(tool("tsc"), "-p", ".");

const userNamespace = ["--user", "--map-root-user"];
const ordinary = process.getuid() !== 0 && spawnSync("unshare", [...userNamespace, "true"]).status === 0;
run(...(ordinary ? ["unshare", ...userNamespace] : []), tool("vitest"), "run", ...process.argv.slice(2));
