/** The words that stand for the binds that were asked about ask for the same binds again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ASK_OPTIONS, asksFor } from "../../src/cli/asks.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { parseIp } from "../../src/codec/address.ts";
import { ASKED, askedWords, withAsked } from "../../src/diagnose/asked.ts";
import type { BindRequest } from "../../src/diagnose/facts.ts";
import { usualAsks } from "../../src/remedy/look.ts";

const UID = process.geteuid!();

function askedAgain(requests: readonly BindRequest[]): BindRequest[] {
  const args = askedWords(requests, UID);
  const { values, positionals } = parseOptions({ args, allowPositionals: true, options: ASK_OPTIONS });
  expect(positionals).toHaveLength(1);
  return asksFor(values, positionals[0]!).map(({ request }) => request);
}

const address = fc
  .constantFrom("0.0.0.0", "127.0.0.1", "::", "::1", "2001:db8::1", "::ffff:127.0.0.1")
  .map((ip) => parseIp(ip)!);
const port = fc.integer({ min: 1, max: 65_535 });

test("the two usual binds, of a port or of one address", () => {
  fc.assert(
    fc.property(fc.option(address, { nil: undefined }), port, (given, asked) => {
      const requests = usualAsks({ port: asked, ...(given && { address: given }) }).map(({ request }) => request);
      expect(askedAgain(requests)).toEqual(requests);
    }),
  );
});

test("one bind with its options", () => {
  const request = fc.record({
    address,
    port,
    reuseAddress: fc.boolean(),
    reusePort: fc.boolean(),
    ipv6Only: fc.boolean(),
    uid: fc.constantFrom(UID, 65_534),
  });
  const isDescribed = (one: BindRequest) =>
    (one.reuseAddress || one.reusePort || one.ipv6Only || one.uid !== UID) &&
    !(one.ipv6Only && one.address.length === 4);
  fc.assert(
    fc.property(request.filter(isDescribed), (one) => {
      expect(askedAgain([one])).toEqual([one]);
    }),
  );
});

test("they take their place in a command", () => {
  expect(withAsked(["sudo", "lastack", "free", ASKED, "--connections"], ["3000", "--reuse-port"])).toEqual(
    "sudo lastack free 3000 --reuse-port --connections".split(" "),
  );
  expect(withAsked(["kill", "77"], ["3000"])).toEqual(["kill", "77"]);
});
