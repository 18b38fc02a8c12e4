import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSockaddr, encodeLinkSockaddr, encodeSockaddr, formatSockaddr } from "../../src/codec/sockaddr.ts";
import { bytes } from "../support/bytes.ts";

const V4 = bytes("0200 1f40 7f000001 0000000000000000"); // sockaddr_in: AF_INET, port 8000, 127.0.0.1
const V6 = bytes("0a00 0050 00000000 fe80000000000000 0000000000000001 03000000"); // fe80::1 on interface 3, port 80

test("sockaddr_in and sockaddr_in6 are laid out as in the kernel's headers", () => {
  expect(encodeSockaddr({ address: Uint8Array.of(127, 0, 0, 1), port: 8000 })).toEqual(V4);
  expect(encodeSockaddr({ address: V6.slice(8, 24), port: 80, scope: 3 })).toEqual(V6);
  expect(decodeSockaddr(V4)).toEqual({
    ok: true,
    value: { address: Uint8Array.of(127, 0, 0, 1), port: 8000, scope: 0 },
  });
  expect(decodeSockaddr(V6)).toEqual({ ok: true, value: { address: V6.slice(8, 24), port: 80, scope: 3 } });
  expect(formatSockaddr(V4)).toBe("127.0.0.1:8000");
  expect(formatSockaddr(V6)).toBe("[fe80::1%3]:80");
});

test("sockaddr_ll: the protocol in network order, the interface in the host's", () => {
  expect(encodeLinkSockaddr(0x86dd, 5)).toEqual(bytes("1100 86dd 05000000 0000 00 00 0000000000000000"));
});

test("addresses survive encoding and decoding", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  const socketAddress = fc.record({ address, port: fc.nat(65535), scope: fc.nat(1000) });
  fc.assert(
    fc.property(socketAddress, (value) => {
      const scope = value.address.length === 4 ? 0 : value.scope;
      expect(decodeSockaddr(encodeSockaddr(value))).toEqual({ ok: true, value: { ...value, scope } });
    }),
  );
});

test("a sockaddr cut off anywhere is called truncated, another family a bad value", () => {
  for (const whole of [V4, V6]) {
    for (let length = 0; length < whole.length; length++) {
      const result = decodeSockaddr(whole.subarray(0, length));
      expect(result).toMatchObject({ ok: false, error: { code: "truncated", layer: "sockaddr", have: length } });
    }
  }
  expect(decodeSockaddr(bytes("0100 2f00"))).toMatchObject({ ok: false, error: { code: "bad-value", have: 1 } });
  expect(formatSockaddr(bytes("0100"))).toBe("?");
});
