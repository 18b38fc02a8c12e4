import { isLinkLocal, parseIp, type ZonedAddress } from "../codec/address.ts";
import { findInterface, interfaceNames } from "./interfaces.ts";

/** What people write: an address, or why it is none that can be bound here. */
export type ReadAddress = { ok: true; value: ZonedAddress } | { ok: false; problem: string };

/** An IP address; one of a link has its interface behind it, by name or index: `fe80::1%eth0` (RFC 4007 section 11). */
export function readAddress(text: string): ReadAddress {
  const at = text.indexOf("%");
  const address = parseIp(at < 0 ? text : text.slice(0, at));
  if (!address) return { ok: false, problem: `'${text}' is not an IP address` };
  if (at < 0) return { ok: true, value: { address } };
  if (!isLinkLocal(address)) {
    return { ok: false, problem: `'${text}': only link-local addresses (fe80::…) have a zone` };
  }
  const name = text.slice(at + 1);
  const zone = findInterface(name);
  if (zone) return { ok: true, value: { address, zone } };
  return { ok: false, problem: `'${text}': there is no interface '${name}'; there are ${interfaceNames().join(", ")}` };
}
