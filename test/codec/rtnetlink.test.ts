import { expect, test } from "vitest";
import { parseIp } from "../../src/codec/address.ts";
import { encodeAddAddress, encodeAddVeth, encodeLinkUp } from "../../src/codec/rtnetlink.ts";
import { bytes } from "../support/bytes.ts";

test("bringing a link up names it, and the flags to set among those to change", () => {
  expect(encodeLinkUp(7, "wire0", { mtu: 1500 })).toEqual(
    bytes(`34000000 1000 0500 07000000 00000000
           00 00 0000 00000000 01000000 01000000
           0a00 0300 77697265 3000 0000
           0800 0400 dc050000`),
  );
  expect(encodeLinkUp(8, "lo", { mtu: 65_535, noArp: true, queueLength: 1000 })).toEqual(
    bytes(`38000000 1000 0500 08000000 00000000
           00 00 0000 00000000 81000000 81000000
           0700 0300 6c6f00 00
           0800 0400 ffff0000
           0800 0d00 e8030000`),
  );
});

test("an address is both that of the interface and that of its end", () => {
  expect(encodeAddAddress(2, 3, parseIp("10.9.0.1")!, 24)).toEqual(
    bytes(`28000000 1400 0506 02000000 00000000
           02 18 00 00 03000000
           0800 0200 0a090001
           0800 0100 0a090001`),
  );
  expect(encodeAddAddress(2, 3, parseIp("fd09::1")!, 64)).toEqual(
    bytes(`40000000 1400 0506 02000000 00000000
           0a 40 00 00 03000000
           1400 0200 fd090000 00000000 00000000 00000001
           1400 0100 fd090000 00000000 00000000 00000001`),
  );
});

test("a veth pair: this end, and the peer with its namespace nested in what the kind of link wants to know", () => {
  const end = { name: "ours", address: bytes("020000000002") };
  const peer = { name: "wire0", address: bytes("020000000001") };
  expect(encodeAddVeth(9, end, peer, 21)).toEqual(
    bytes(`80000000 1000 0506 09000000 00000000
           00 00 0000 00000000 00000000 00000000
           0900 0300 6f757273 00 000000
           0a00 0100 02000000 0002 0000
           4800 1280
             0900 0100 76657468 00 000000
             3800 0280
               3400 0100 00 00 0000 00000000 00000000 00000000
                 0a00 0300 77697265 3000 0000
                 0a00 0100 02000000 0001 0000
                 0800 1c00 15000000`),
  );
});
