import { expect, test } from "vitest";
import { encodeFilter, localPortOf, matchesFilter, type Filter } from "../../src/codec/inet-diag-filter.ts";
import { bytes } from "../support/bytes.ts";

const port = (side: "local" | "peer", number: number): Filter => ({ kind: "port", side, port: number });

test("a port is two comparisons, each with the port in a second op; refusal jumps past the end", () => {
  expect(encodeFilter(port("local", 8000))).toEqual(
    bytes(
      `02 08 1400  00 00 401f    sport >= 8000, or on to 20 = end + 4
           03 08 0c00  00 00 401f    sport <= 8000, or on to 12 = end + 4`.replace(/ {4,}sport.*/g, ""),
    ),
  );
});

test("alternatives: the first's refusal enters the second, its acceptance jumps over it", () => {
  const either = encodeFilter({ kind: "any", of: [port("local", 1), port("peer", 1)] });
  expect(either).toEqual(
    bytes("02 08 1400 00 00 0100  03 08 0c00 00 00 0100  01 04 1400  04 08 1400 00 00 0100  05 08 0c00 00 00 0100"),
  );
});

test("an address is a host condition with any port", () => {
  const filter: Filter = { kind: "address", side: "peer", address: Uint8Array.of(10, 0, 0, 0), prefix: 8 };
  expect(encodeFilter(filter)).toEqual(bytes("08 10 1400  02 08 0000 ffffffff 0a000000"));
});

test("a device is its index in a second op", () => {
  const filter: Filter = { kind: "device", index: 3 };
  expect(encodeFilter(filter)).toEqual(bytes("09 08 0c00 03000000"));
  const socket = { source: bytes("7f000001"), destination: bytes("7f000001"), sourcePort: 1, destinationPort: 2 };
  expect(matchesFilter(filter, { ...socket, interfaceIndex: 3 })).toBe(true);
  expect(matchesFilter(filter, { ...socket, interfaceIndex: 0 })).toBe(false);
});

test("all of nothing accepts everything and needs no code; any of nothing refuses everything", () => {
  expect(encodeFilter({ kind: "all", of: [] })).toBeUndefined();
  expect(encodeFilter({ kind: "any", of: [] })).toEqual(bytes("01 04 0800"));
  const socket = {
    source: bytes("7f000001"),
    destination: bytes("7f000001"),
    sourcePort: 1,
    destinationPort: 2,
    interfaceIndex: 3,
  };
  expect(matchesFilter({ kind: "all", of: [] }, socket)).toBe(true);
  expect(matchesFilter({ kind: "any", of: [] }, socket)).toBe(false);
});

test("an IPv4 condition matches a v4-mapped address, as in the kernel; an IPv6 one matches no IPv4 socket", () => {
  const mapped = bytes("00000000000000000000ffff7f000001");
  const socket = { source: mapped, destination: mapped, sourcePort: 1, destinationPort: 2, interfaceIndex: 3 };
  expect(matchesFilter({ kind: "address", side: "local", address: bytes("7f000000"), prefix: 8 }, socket)).toBe(true);
  const v4 = { ...socket, source: bytes("7f000001") };
  expect(matchesFilter({ kind: "address", side: "local", address: mapped, prefix: 128 }, v4)).toBe(false);
});

test("the local port that a filter leaves is known where it leaves only one", () => {
  const local: Filter = { kind: "port", side: "local", port: 8000 };
  const peer: Filter = { kind: "port", side: "peer", port: 8000 };
  expect(localPortOf(local)).toBe(8000);
  expect(localPortOf({ kind: "all", of: [peer, { kind: "all", of: [local] }] })).toBe(8000);
  for (const filter of [peer, { kind: "any", of: [local, peer] }, { kind: "all", of: [] }] as const) {
    expect(localPortOf(filter)).toBe(undefined);
  }
});
