import { paired, ratio, median, difference } from "./support/harness.ts";
delete process.env.NODE_EXTRA_CA_CERTS;
const [r, ...cmds]=process.argv.slice(2);
for (const c of cmds){ const x=paired(c.split(" "),["node","-e","0"],Number(r)); console.log(c.slice(-60).padEnd(60), median(x[0].ms).toFixed(1), median(x[1].ms).toFixed(1),"diff", difference(x).toFixed(1));}
