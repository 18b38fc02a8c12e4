/** IP addresses as bytes in network order: 4 for IPv4, 16 for IPv6. */

/** `127.0.0.1` as 4 bytes, or undefined. Only four decimal numbers: no `127.1`, no octal. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

/** An IPv6 address without zone (RFC 4291 section 2.2, all three forms) as 16 bytes, or undefined. */
export function parseIpv6(text: string): Uint8Array | undefined {
  let rest = text;
  const tail: number[] = [];
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(rest);
  if (dotted) {
    const v4 = parseIpv4(dotted[2]!);
    if (!v4) return undefined;
    tail.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!);
    rest = dotted[1]!.endsWith("::") ? dotted[1]! : dotted[1]!.slice(0, -1);
  }
  const halves = rest.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  if (!groups.flat().every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const [front, back] = groups.map((half) => half.map((group) => Number.parseInt(group, 16)));
  const given = front!.length + (back?.length ?? 0) + tail.length;
  if (back === undefined ? given !== 8 : given > 7) return undefined;
  const words = [...front!, ...Array<number>(8 - given).fill(0), ...(back ?? []), ...tail];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

/** An address of either family as bytes, or undefined. */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** True for `::ffff:a.b.c.d`, an IPv4 address in an IPv6 socket (RFC 4291 section 2.5.5.2). */
export function isV4Mapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255;
}

/** True for 0.0.0.0 and ::. */
export function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((b) => b === 0);
}

/** True for fe80::/10: an address that is one only together with an interface, its zone (RFC 4291 section 2.5.6). */
export function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

/** The interface on whose link a link-local address is one (RFC 4007: its zone), and what the kernel calls it. */
export interface Zone {
  index: number;
  name: string;
}

/** An address with its zone, if it has one. */
export interface ZonedAddress {
  /** 4 or 16 bytes. */
  address: Uint8Array;
  zone?: Zone | undefined;
}

function formatIpv6(bytes: Uint8Array): string {
  if (isV4Mapped(bytes)) return `::ffff:${bytes.subarray(12).join(".")}`;
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && words[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const hex = words.map((word) => word.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The address's canonical text (RFC 5952). `bytes` must be 4 or 16 long. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` : formatIpv6(bytes);
}

/** The same with the zone: `fe80::1%eth0`. */
export function formatZoned({ address, zone }: ZonedAddress): string {
  return zone ? `${formatIp(address)}%${zone.name}` : formatIp(address);
}

/** Address and port as everybody writes them: `127.0.0.1:80`, `[::1]:80`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** True if the first `prefix` bits of both are equal. Both must be of one family. */
export function matchesPrefix(address: Uint8Array, network: Uint8Array, prefix: number): boolean {
  const whole = prefix >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false;
  const bits = prefix & 7;
  return bits === 0 || ((address[whole]! ^ network[whole]!) & (0xff00 >> bits) & 0xff) === 0;
}
