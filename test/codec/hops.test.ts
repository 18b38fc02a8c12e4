import { expect, it } from "vitest";
import { encodeIp, hopsLeft, readHopsLeft, setHopsLeft, type IpHeader } from "../../src/codec/ip.ts";

const V4: IpHeader = {
  version: 4,
  tos: 0,
  id: 1,
  fragment: 0x4000,
  ttl: 64,
  protocol: 6,
  source: Uint8Array.of(10, 9, 0, 1),
  destination: Uint8Array.of(10, 9, 0, 2),
  options: new Uint8Array(),
};

const V6: IpHeader = {
  version: 6,
  trafficClass: 0,
  flowLabel: 0,
  nextHeader: 6,
  hopLimit: 255,
  source: new Uint8Array(16),
  destination: new Uint8Array(16).fill(1),
};

it.each([V4, V6])("an encoded packet of IPv$version tells its hops, without what it carries too", (header) => {
  const bytes = encodeIp({ header, payload: new Uint8Array(40) });
  expect(readHopsLeft(bytes)).toBe(hopsLeft(header));
  setHopsLeft(bytes, 7);
  expect(readHopsLeft(bytes.subarray(0, 40))).toBe(7);
});
