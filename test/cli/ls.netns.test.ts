/** Which sockets `lastack ls WORDS` lists, of a known population held by this process. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { linesOf, listJson, type ListedSocket } from "./helpers.ts";
import { ALL, describe, makePopulation, POPULATION, type Member } from "./population.ts";

const NAMESPACE = ["a network namespace"] as const;

let end = (): void => {};
beforeAll(async () => {
  if (enterNewNetworkNamespace()) end = await makePopulation();
});
afterAll(() => end());

const ON_8000: Member[] = ["listen4", "established", "establishedClient", "closeWait", "finWait2", "timeWait"];
const except = (...left: Member[]) => ALL.filter((member) => !left.includes(member));

/** Words, and what they list. */
const CASES: readonly (readonly [words: string, members: readonly Member[]])[] = [
  ["", ALL],
  // a port, on either side
  ["8000", ON_8000],
  [":8000", ON_8000],
  ["port 8000", ON_8000],
  ["4001", ["established", "establishedClient"]],
  ["9000", ["listenDual"]],
  ["7000", ["bound"]],
  ["7001", []],
  // an address or network, on either side
  ["127.0.0.2", ["established", "establishedClient"]],
  ["address 127.0.0.2", ["established", "establishedClient"]],
  ["127.0.0.2/31", ["established", "establishedClient", "closeWait", "finWait2"]],
  ["127.0.0.0/8", except("listen6", "listenDual")],
  ["10.0.0.0/8", []],
  ["::1", ["listen6"]],
  ["[::1]", ["listen6"]],
  ["::/64", ["listen6", "listenDual"]],
  // both on one side
  ["127.0.0.1:8000", ON_8000],
  ["127.0.0.1:4001", []],
  ["127.0.0.2:4001", ["established", "establishedClient"]],
  ["[::1]:8080", ["listen6"]],
  ["[::1]:9000", []],
  ["*:9000", ["listenDual"]],
  // a state, in any spelling
  ["time-wait", ["timeWait"]],
  ["TIME_WAIT", ["timeWait"]],
  ["timewait", ["timeWait"]],
  ["TCP_TIME_WAIT", ["timeWait"]],
  ["FIN_WAIT2", ["finWait2"]],
  ["fin-wait-2", ["finWait2"]],
  ["ESTAB", ["established", "establishedClient"]],
  ["Established", ["established", "establishedClient"]],
  ["close-wait", ["closeWait"]],
  ["bound", ["bound"]],
  ["BOUND-INACTIVE", ["bound"]],
  ["listen", ["listen4", "listen6", "listenDual"]],
  ["state listen", ["listen4", "listen6", "listenDual"]],
  ["last-ack", []],
  // processes and users
  ["node", except("timeWait")],
  ["program node", except("timeWait")],
  ["nobody-runs-this", []],
  [`pid ${process.pid}`, except("timeWait")],
  ["pid 1", []],
  // TIME-WAIT has no user: the kernel keeps none, though it reports 0
  ["user root", except("timeWait")],
  ["user 0", except("timeWait")],
  ["user 65534", []],
  // several of a kind: or
  ["time-wait close-wait", ["timeWait", "closeWait"]],
  ["7000 9000", ["bound", "listenDual"]],
  ["127.0.0.2 ::1", ["established", "establishedClient", "listen6"]],
  ["127.0.0.4:4003 7000", ["timeWait", "bound"]],
  [`pid 1 node`, except("timeWait")],
  // different kinds: and
  ["8000 listen", ["listen4"]],
  ["8000 close-wait fin-wait-2", ["closeWait", "finWait2"]],
  ["8000 127.0.0.3", ["closeWait", "finWait2"]],
  ["127.0.0.3 close-wait", ["closeWait"]],
  ["node 7000", ["bound"]],
  [`node time-wait`, []],
  ["9000 127.0.0.1", []],
  // options
  ["--listen", ["listen4", "listen6", "listenDual"]],
  ["-l 8000", ["listen4"]],
  ["--listen time-wait", []],
  ["-4", except("listen6", "listenDual")],
  ["-6", ["listen6", "listenDual"]],
  ["-4 -6", ALL],
  ["-6 listen", ["listen6", "listenDual"]],
  ["-l4", ["listen4"]],
];

for (const [line, members] of CASES) {
  const words = line.split(" ").filter((word) => word !== "");
  const title = `ls ${line.replace(String(process.pid), "PID")}`;
  testNeeding(
    NAMESPACE,
    `${title} lists ${members.length === ALL.length ? "all" : members.join(", ") || "nothing"}`,
    () => {
      const expected = members.map((member) => POPULATION[member]).sort();
      expect(
        listJson(...words)
          .sockets.map(describe)
          .sort(),
      ).toEqual(expected);
    },
  );
}

testNeeding(NAMESPACE, "the table has the same rows as JSON", () => {
  for (const words of [[], ["8000"], ["node"], ["--listen"]]) {
    const { stdout } = lastack(["ls", ...words]);
    const rows = linesOf(stdout)
      .slice(1)
      .map((row) => row.split(/ +/))
      .map(([, , , local, peer, state]) => {
        const address = local!.replaceAll(/[[\]]/g, "");
        return `${address} ${peer!.endsWith(":*") ? "-" : peer} ${state}`;
      });
    expect(rows.sort()).toEqual(
      listJson(...words)
        .sockets.map(describe)
        .sort(),
    );
  }
});

testNeeding(NAMESPACE, "--no-owner leaves out the owners, not the users", () => {
  const { stdout } = lastack(["ls", "--no-owner", "--json", "user", "root"]);
  const { sockets } = JSON.parse(stdout) as { sockets: ListedSocket[] };
  expect(sockets).toHaveLength(ALL.length - 1);
  for (const socket of sockets) expect(socket).not.toHaveProperty("owners");
  expect(lastack(["ls", "--no-owner"]).stdout).not.toMatch(/Owner|node/);
});

testNeeding(NAMESPACE, "ls finds a program by its file's name and by the name that it has given itself", () => {
  const comm = readFileSync("/proc/self/comm", "utf8").trimEnd();
  expect(listJson("program", comm).sockets).toHaveLength(ALL.length - 1);
});
