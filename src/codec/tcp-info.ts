/**
 * struct tcp_info (include/uapi/linux/tcp.h), which grows with the kernel: fields that an older kernel does not send are
 * absent, bytes that a newer one adds are ignored. Names are the kernel's without `tcpi_`; times are in microseconds
 * except `last…` (milliseconds).
 */
type Width = 1 | 4 | 8;

const FIELDS = [
  ["state", 1],
  ["caState", 1],
  ["retransmits", 1],
  ["probes", 1],
  ["backoff", 1],
  ["options", 1],
  ["windowScales", 1], // snd_wscale in the low four bits, rcv_wscale in the high ones
  ["flags", 1],
  ["rtoUs", 4],
  ["atoUs", 4],
  ["sndMss", 4],
  ["rcvMss", 4],
  ["unacked", 4],
  ["sacked", 4],
  ["lost", 4],
  ["retrans", 4],
  ["fackets", 4],
  ["lastDataSentMs", 4],
  ["lastAckSentMs", 4],
  ["lastDataRecvMs", 4],
  ["lastAckRecvMs", 4],
  ["pmtu", 4],
  ["rcvSsthresh", 4],
  ["rttUs", 4],
  ["rttvarUs", 4],
  ["sndSsthresh", 4],
  ["sndCwnd", 4],
  ["advmss", 4],
  ["reordering", 4],
  ["rcvRttUs", 4],
  ["rcvSpace", 4],
  ["totalRetrans", 4],
  ["pacingRate", 8],
  ["maxPacingRate", 8],
  ["bytesAcked", 8],
  ["bytesReceived", 8],
  ["segsOut", 4],
  ["segsIn", 4],
  ["notsentBytes", 4],
  ["minRttUs", 4],
  ["dataSegsIn", 4],
  ["dataSegsOut", 4],
  ["deliveryRate", 8],
  ["busyTimeUs", 8],
  ["rwndLimitedUs", 8],
  ["sndbufLimitedUs", 8],
  ["delivered", 4],
  ["deliveredCe", 4],
  ["bytesSent", 8],
  ["bytesRetrans", 8],
  ["dsackDups", 4],
  ["reordSeen", 4],
  ["rcvOoopack", 4],
  ["sndWnd", 4],
  ["rcvWnd", 4],
  ["rehash", 4],
] as const satisfies readonly (readonly [string, Width])[];

type Field = (typeof FIELDS)[number];
/** Widths of 8 bytes are bigint, the others number. */
export type TcpInfo = {
  [F in Field as F[0]]?: F[1] extends 8 ? bigint : number;
};

/** The length in bytes of all fields that this table knows. */
export const TCP_INFO_LENGTH = FIELDS.reduce((sum, [, width]) => sum + width, 0);

/** Never fails: what is too short simply has fewer fields. */
export function decodeTcpInfo(bytes: Uint8Array): TcpInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const info: Record<string, number | bigint> = {};
  let at = 0;
  for (const [name, width] of FIELDS) {
    if (at + width > bytes.length) break;
    if (width === 1) info[name] = view.getUint8(at);
    else if (width === 4) info[name] = view.getUint32(at, true);
    else info[name] = view.getBigUint64(at, true);
    at += width;
  }
  return info as TcpInfo;
}

/** The bytes of the leading fields that `info` has, up to the first it lacks. */
export function encodeTcpInfo(info: TcpInfo): Uint8Array {
  const bytes = new Uint8Array(TCP_INFO_LENGTH);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [name, width] of FIELDS) {
    const value = info[name];
    if (value === undefined) break;
    if (width === 1) view.setUint8(at, Number(value));
    else if (width === 4) view.setUint32(at, Number(value), true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return bytes.subarray(0, at);
}
