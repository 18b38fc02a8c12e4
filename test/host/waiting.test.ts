/** Several calls that wait on one socket of a modelled host: who goes on first, and what a host's bytes tell of it. */
import { expect, test } from "vitest";
import { writeHost } from "../../src/host/index.ts";
import { ByteWriter } from "../../src/tcp/index.ts";
import { HostPair } from "./pair.ts";
import { abort, blockInAccept, blockInRead, CALLERS, returns, WAITING } from "./waiters.ts";

for (const { name, what, returns: expected, inModel } of WAITING) {
  test(`${name}: ${what}`, () => {
    expect(returns(inModel())).toEqual(expected);
  });
}

test("accept: a connection wakes one; who waits again waits behind the others", () => {
  const { pair, fd } = blockInAccept();
  pair.connect();
  expect(returns(pair)).toEqual(["first 4"]);
  pair.call("first", { name: "accept", fd });
  pair.returned.clear();
  for (let i = 0; i < 3; i++) pair.connect();
  expect(returns(pair)).toEqual(["second 4", "third 4", "first 5"]);
});

test("read: what one leaves is the next one's", () => {
  const { pair, here } = blockInRead(2);
  pair.must("client", { name: "write", fd: here, data: "abc" });
  expect(returns(pair)).toEqual(["third 2", "second 1"]);
});

/** The bytes of a server on whose listener these come to wait; `*`: a connection comes, and is over at once. */
function bytesAfter(...what: readonly string[]): string {
  const pair = new HostPair({ numbering: { by: "count", first: 1000, step: 0 }, connection: { timestamps: false } });
  const fd = pair.listen();
  for (const child of CALLERS) pair.must("server", { name: "fork", child });
  for (const one of what) {
    if (one !== "*") {
      expect(pair.call(one, { name: "accept", fd })).toBeUndefined();
      continue;
    }
    pair.returned.clear();
    const here = pair.connect();
    const [accepted] = returns(pair);
    abort(pair, here);
    pair.must(accepted!.split(" ")[0]!, { name: "close", fd: fd + 1 });
  }
  const writer = new ByteWriter();
  writeHost(writer, pair.server, pair.nowUs);
  return Buffer.from(writer.take()).toString("hex");
}

test("a host's bytes tell in which order several wait, not how that came about", () => {
  expect(bytesAfter("first", "*", "first", "second")).not.toBe(bytesAfter("first", "*", "second", "first"));
  expect(bytesAfter("first", "second", "*", "first")).toBe(bytesAfter("first", "*", "second", "first"));
  expect(bytesAfter("second", "first", "*")).toBe(bytesAfter("second", "*", "first"));
});
