import fc from "fast-check";
import { afterAll, expect } from "vitest";
import { formatIp, parseIp } from "../../src/codec/address.ts";
import { matchesFilter, type Filter } from "../../src/codec/inet-diag-filter.ts";
import type { InetDiagMessage } from "../../src/codec/inet-diag.ts";
import { stateMask } from "../../src/codec/state.ts";
import { decodeRows } from "../../src/linux/socket-table.ts";
import { readSockets } from "../../src/linux/sockets.ts";
import { IPPROTO_IPV6, IPV6_V6ONLY, setsockopt, SO_BINDTOIFINDEX, SOL_SOCKET, type Fd } from "../../src/sys/index.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace, Sockets } from "../support/tcp.ts";
import { until } from "../support/until.ts";

const sockets = new Sockets();
afterAll(() => sockets.close());

const name = (row: InetDiagMessage) =>
  `${row.cookie} ${row.state} ${formatIp(row.source)}:${row.sourcePort} ${formatIp(row.destination)}:${row.destinationPort}`;

/** Of `lo`, in every namespace. */
const LOOPBACK = 1;

let populated = false;

/** About sixty sockets, close to each other in addresses and ports, so that a random filter often divides them. */
async function populate(): Promise<void> {
  if (populated) return;
  populated = true;
  enterNamespace();
  const dualStack = (fd: Fd) => setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  const listeners = [
    sockets.listener("127.0.0.1", { port: 8000 }),
    sockets.listener("127.0.0.2", { port: 8000 }),
    sockets.listener("0.0.0.0", { port: 8001 }),
    sockets.listener("::1", { port: 8002 }),
    sockets.listener("::", { port: 8003, prepare: dualStack }),
    sockets.listener("::ffff:127.0.0.3", { port: 8004 }),
  ];
  const onLoopback = (fd: Fd) => setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, LOOPBACK);
  for (const ip of ["127.0.0.1", "::1"]) sockets.listener(ip, { port: 8005, prepare: onLoopback });
  const [one, two, any, v6, dual, mapped] = listeners as [Fd, Fd, Fd, Fd, Fd, Fd];
  const connections: [Fd, string][] = [
    [one, "127.0.0.1"],
    [two, "127.0.0.2"],
    [any, "127.0.0.1"],
    [any, "127.1.2.3"],
    [v6, "::1"],
    [dual, "127.0.0.1"],
    [dual, "::1"],
    [dual, "::ffff:127.0.0.1"],
    [mapped, "127.0.0.3"],
  ];
  for (const [listener, ip] of connections) {
    sockets.pair(listener, ip);
    // In TIME-WAIT, closed by the client.
    const ended = sockets.pair(listener, ip);
    ended.client.close();
    ended.server.close();
  }
  for (const [listener, ip] of connections) sockets.client(listener, ip); // never accepted
  for (const ip of ["127.0.0.1", "127.200.0.1", "::1", "::ffff:127.0.0.2"]) sockets.bound(ip, { port: 9000 });
  for (const ip of ["0.0.0.0", "::1"]) sockets.bound(ip, { port: 9001 });
  // The last segments of the connections that have ended are on their way for some milliseconds.
  const states = stateMask("TIME-WAIT");
  await until("nine sockets in TIME-WAIT", () => decodeRows(readSockets({ states })).length === 9);
}

/** Filters of everything that the population has and of its neighbours. */
function filters(rows: readonly InetDiagMessage[]): fc.Arbitrary<Filter> {
  const ports = [...new Set(rows.flatMap(({ sourcePort, destinationPort }) => [sourcePort, destinationPort]))];
  const strange = ["10.0.0.0", "::ffff:10.0.0.1", "2001:db8::1", "255.255.255.255"].map((ip) => formatIp(parseIp(ip)!));
  const ips = [
    ...new Set([...rows.flatMap(({ source, destination }) => [source, destination].map(formatIp)), ...strange]),
  ];
  const side = fc.constantFrom("local" as const, "peer" as const);
  const port = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...ports) },
    fc.constantFrom(0, 1, 65_535),
    fc.nat(65_535),
  );
  const address = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...ips).map((ip) => parseIp(ip)!) },
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  return fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.record({ kind: fc.constant("port" as const), side, port }),
      fc.record({ kind: fc.constant("device" as const), index: fc.constantFrom(LOOPBACK, LOOPBACK + 1) }),
      fc.tuple(side, address, fc.nat(128)).map(([of, bytes, prefix]): Filter => ({
        kind: "address",
        side: of,
        address: bytes,
        prefix: prefix % (8 * bytes.length + 1),
      })),
      fc.record({
        kind: fc.constantFrom("all" as const, "any" as const),
        of: fc.array(tie("filter"), { maxLength: 4 }),
      }),
    ),
  })).filter;
}

testNeeding(
  ["a network namespace"],
  "the kernel's bytecode and the predicate of any filter choose the same sockets",
  async () => {
    await populate();
    const rows = decodeRows(readSockets());
    expect(rows.length).toBeGreaterThanOrEqual(55);
    expect(new Set(rows.map(name)).size).toBe(rows.length);

    let dividing = 0;
    const property = fc.property(filters(rows), (filter) => {
      const predicted = rows.filter((row) => matchesFilter(filter, row)).map(name);
      const answered = decodeRows(readSockets({ filter })).map(name);
      expect(answered.sort()).toEqual(predicted.sort());
      if (answered.length > 0 && answered.length < rows.length) dividing++;
    });
    // Each walks the kernel's table, which all namespaces share: 16 ms where another holds 125,000 sockets.
    fc.assert(property, { numRuns: 500 });
    // Filters that take all or nothing prove little.
    expect(dividing).toBeGreaterThan(100);
  },
);

testNeeding(
  ["a network namespace"],
  "a filter of any length holds, also one that is too long for the kernel",
  async () => {
    await populate();
    const port = (number: number): Filter => ({ kind: "port", side: "local", port: number });
    const chosen = (filter: Filter) => decodeRows(readSockets({ filter })).map(name).sort();
    const expected = chosen(port(8000));
    expect(expected.length).toBeGreaterThan(1);
    // An alternative takes 20 bytes: less than 64 KB, more, and so much more that 16 bits of the length are small again.
    for (const count of [3000, 4000, 16_387]) {
      const others = Array<Filter>(count - 1).fill(port(1));
      expect(chosen({ kind: "any", of: [...others, port(8000)] })).toEqual(expected);
    }
  },
);
