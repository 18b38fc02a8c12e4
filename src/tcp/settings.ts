/** What is chosen for a connection before it begins, and stays. */
import { RFC9293, type Profile } from "./profile.ts";

export interface Settings {
  readonly profile: Profile;
  readonly localPort: number;
  /** 0 for a listener. */
  readonly remotePort: number;
  /** The longest segment that can be received, and that the way out takes: bytes of data without options. */
  readonly mss: number;
  /** What the peer's is taken to be if it does not say: 536 for IPv4, 1220 for IPv6 (RFC 9293 MUST-15). */
  readonly mssUnsaid: number;
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  /** Offered in the SYN (RFC 7323 section 2); null: not offered. */
  readonly windowScale: number | null;
  /** Whether timestamps are offered (RFC 7323 section 3). */
  readonly timestamps: boolean;
  /** What is added to the time in milliseconds to make a timestamp. */
  readonly timestampOffset: number;
  /** No Nagle algorithm: what there is goes at once (RFC 9293 MUST-17). */
  readonly noDelay: boolean;
  /** How long TIME-WAIT lasts; 0: there is none, the last ACK closes. */
  readonly timeWaitUs: number;
  /** How long an orphan waits in FIN-WAIT-2; null: without end; negative: not at all, the peer gets a RST. */
  readonly orphanFinWait2Us: number | null;
  /** RFC 1337's fix F1: RSTs in TIME-WAIT are ignored. */
  readonly rfc1337: boolean;
  /**
   * RFC 5961: a RST counts with the very next number only; other RSTs in the window, every SYN, and ACKs that are too old draw
   * a challenge ACK, and not too many of these are sent. Off: all of it as RFC 793 had it.
   */
  readonly rfc5961: boolean;
  /** With how many segments slow start begins (RFC 6928). */
  readonly initialWindow: number;
}

/** The settings of a connection; what is not given is the profile's, or usual. Throws a RangeError for impossible ones. */
export function settingsOf(given: Partial<Settings> & Pick<Settings, "localPort" | "remotePort">): Settings {
  const { profile = RFC9293 } = given;
  const settings: Settings = {
    profile,
    mss: 1460,
    mssUnsaid: 536,
    receiveBuffer: 65_535,
    sendBuffer: 65_535,
    windowScale: null,
    timestamps: false,
    timestampOffset: 0,
    noDelay: false,
    timeWaitUs: profile.timeWaitUs,
    orphanFinWait2Us: profile.orphanFinWait2Us,
    rfc1337: false,
    rfc5961: true,
    initialWindow: 10,
    ...given,
  };
  if (settings.windowScale !== null && (settings.windowScale < 0 || settings.windowScale > MAX_WINDOW_SCALE)) {
    throw new RangeError(`a window scale is at most ${MAX_WINDOW_SCALE}`);
  }
  if (settings.mss < MIN_MSS) throw new RangeError(`a segment takes at least ${MIN_MSS} bytes`);
  return settings;
}

/** RFC 7323 section 2.3. */
export const MAX_WINDOW_SCALE = 14;
/** Below it options leave no room for data (TCP_MIN_SND_MSS, include/net/tcp.h). */
export const MIN_MSS = 48;
