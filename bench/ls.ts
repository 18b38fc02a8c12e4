import { paired, ratio, median, difference } from "./support/harness.ts";
import { Population } from "./support/population.ts";
delete process.env["NODE_EXTRA_CA_CERTS"];
async function main() {
  const [kind, n] = process.argv.slice(2);
  let t = performance.now();
  const p = await Population.create(kind as "held" | "time-wait", Number(n));
  console.log("ready", performance.now() - t);
  const L = ["node", "dist/lastack.cjs"];
  const show = (name: string, a: string[], b: string[], r = 9) => {
    const x = paired(a, b, r);
    console.log(
      name,
      median(x[0].ms).toFixed(1),
      median(x[1].ms).toFixed(1),
      "ratio",
      ratio(x).toFixed(3),
      "diff",
      difference(x).toFixed(1),
    );
  };
  show("ls --no-owner vs ss -tan", [...L, "ls", "--no-owner"], ["ss", "-tan"]);
  show("listen vs node", [...L, "ls", "--listen", "8000"], ["node", "-e", "0"], 15);
  show("listen no-owner vs node", [...L, "ls", "--listen", "8000", "--no-owner"], ["node", "-e", "0"], 15);
  if (kind === "held") show("ls vs ss -tanp", [...L, "ls"], ["ss", "-tanp"], 5);
  await p.end();
}
main();
