/** What the tests of the library find on a port. */
import { writeParameter } from "../../src/linux/parameter.ts";
import { why } from "../../src/node/index.ts";
import { sockets } from "../diagnose/situation.ts";
import { until } from "../support/until.ts";

/** An orphan in FIN-WAIT-2, of a server without SO_REUSEADDR, which the kernel gives up after a second. */
export async function orphan(port: number): Promise<void> {
  writeParameter("net.ipv4.tcp_fin_timeout", 1);
  const listener = sockets.listener("0.0.0.0", { port });
  const { server } = sockets.pair(listener, "127.0.0.1");
  listener.close();
  server.close();
  await until("FIN-WAIT-2", () => why(port).sockets.some(({ state, inode }) => state === "FIN-WAIT-2" && inode === 0));
}
