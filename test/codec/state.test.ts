import { expect, test } from "vitest";
import { ALL_STATES_MASK, parseState, stateMask, stateName, STATES } from "../../src/codec/state.ts";

test("every spelling of a state, in any case, means that state", () => {
  for (const { rfc, kernel, ss } of STATES) {
    for (const name of [
      rfc,
      kernel,
      ss,
      kernel.replace("TCP_", ""),
      rfc.replaceAll("-", "_"),
      rfc.replaceAll("-", ""),
    ]) {
      expect(parseState(name), name).toBe(rfc);
      expect(parseState(name.toLowerCase()), name).toBe(rfc);
    }
  }
});

test("what is no state is none", () => {
  for (const name of ["", "wait", "time", "TIME-WAITS", "tcp_", "node", "8000"])
    expect(parseState(name)).toBeUndefined();
});

test("masks have the bits of the kernel's numbers", () => {
  expect(stateMask("ESTABLISHED")).toBe(1 << 1);
  expect(stateMask("TIME-WAIT")).toBe(1 << 6);
  // A connection request is a socket of a kind of its own, with a number of its own.
  expect(stateMask("SYN-RECEIVED")).toBe((1 << 3) | (1 << 12));
  expect(ALL_STATES_MASK).toBe(0x3ffe);
});

test("an unknown number has no name", () => {
  expect(stateName(0)).toBeUndefined();
  expect(stateName(14)).toBeUndefined();
  expect(stateName(10)).toBe("LISTEN");
});
