/** What the RFCs demand of closing and resetting, and the tests of it: each by a part of its title, or of its group's. */

export interface Requirement {
  rfc: number;
  /** Section, and the number that RFC 9293 gives it. */
  where: string;
  what: string;
  /** In test/tcp. */
  file: string;
  title: string;
}

const of = (rfc: number) => (where: string, what: string, file: string, title: string) => ({
  rfc,
  where,
  what,
  file,
  title,
});
const tcp = of(9293);
const hosts = of(1122);
const blind = of(5961);
const reuse = of(6191);
const stamps = of(7323);

export const REQUIREMENTS: readonly Requirement[] = [
  tcp(
    "3.5.2, group 1",
    "no connection: a RST answers anything but a RST",
    "reset",
    "group 1: for a connection that does not exist",
  ),
  tcp(
    "3.5.2, group 2",
    "not synchronized: a RST answers an ACK of what was never sent",
    "reset",
    "group 2, %s: to an ACK of what was never sent",
  ),
  tcp(
    "3.5.2, group 3",
    "synchronized: what is unacceptable draws an empty ACK",
    "reset",
    "group 3, %s: never, an unacceptable segment",
  ),
  tcp(
    "3.5, MUST-11",
    "a RST in SYN-RECEIVED: a passive open listens again",
    "setup",
    "MUST-11: a RST takes a passive one back to LISTEN",
  ),
  tcp("3.5, MUST-11", "… an active one is refused", "setup", "MUST-11: a RST refuses an active one"),
  tcp("3.5.3, SHLD-2", "a RST may bring data", "reset", "SHLD-2: one that brings data"),
  tcp(
    "3.6, figure 12",
    "a close, at the end that begins and at the other",
    "closing",
    "figure 12, the end that closes first",
  ),
  tcp("3.6, figure 13", "a simultaneous close", "closing", "figure 13: both close at once"),
  tcp(
    "3.6",
    "what was sent before CLOSE is delivered",
    "closing",
    "all that was handed over before CLOSE is delivered",
  ),
  tcp(
    "3.6, MUST-12",
    "the user is told whether the peer closed or aborted",
    "closing",
    "MUST-12: the user is told whether the peer has closed",
  ),
  tcp(
    "3.6.1, SHLD-3",
    "closed with data unread, or data after it: a RST",
    "closing",
    "SHLD-3, RFC 1122 section 4.2.2.13: closed with data unread",
  ),
  tcp("3.6.1, MUST-13", "TIME-WAIT lasts two MSL", "time-wait", "MUST-13: it lasts two MSL"),
  tcp(
    "3.6.1, MAY-2",
    "a SYN with a higher number may end it",
    "time-wait",
    "MAY-2: with a higher number it is accepted",
  ),
  tcp("3.8.3, MUST-20", "a peer that does not answer is given up, and the user told", "data", "SHLD-11, MUST-20"),
  tcp("3.8.3, MUST-23", "a SYN is tried for three minutes", "setup", "(MUST-23), and then the user is told"),
  tcp("3.10.4", "CLOSE while closing", "closing", "CLOSE once more (RFC 9293 section 3.10.4)"),
  tcp("3.10.5", "ABORT in each state", "closing", "ABORT (RFC 9293 section 3.10.5)"),
  tcp("3.4, MUST-66", "a RST is heard behind a zero window", "data", "MUST-66: a RST is heard"),
  tcp("3.10.7.4, eighth", "a FIN in each state", "closing", "a FIN, by state (RFC 9293 section 3.10.7.4, eighth)"),
  hosts(
    "4.2.2.13",
    "data received and not read, or after CLOSE: a RST",
    "closing",
    "RFC 1122 section 4.2.2.13: data after close",
  ),
  hosts(
    "4.2.2.13",
    "TIME-WAIT of two MSL; the user is told; a SYN may end it",
    "time-wait",
    "MUST-13: it lasts two MSL",
  ),
  blind(
    "3.2",
    "a RST with the next number ends the connection",
    "reset",
    "%s: with the next number it ends the connection",
  ),
  blind(
    "3.2",
    "elsewhere in the window it draws a challenge ACK",
    "reset",
    "%s: elsewhere in the window it draws a challenge ACK",
  ),
  blind("3.2", "outside it is dropped", "reset", "%s: outside the window it is dropped"),
  blind(
    "4.2",
    "a SYN draws a challenge ACK, whatever its number",
    "reset",
    "%s: it draws a challenge ACK, whatever its number",
  ),
  blind("4.2", "… and the segment is dropped", "reset", "section 4.2, %s: with data the segment is dropped whole"),
  blind(
    "5.2",
    "an ACK that is too old is answered by an ACK",
    "data",
    "RFC 5961 section 5.2: an ACK from further back",
  ),
  blind("5.2", "an ACK of what was never sent too", "data", "%s: an ACK of what was never sent is answered by an ACK"),
  blind("7", "not too many, and how many can be set", "reset", "section 7: how many, and in what time, can be set"),
  reuse(
    "2",
    "a newer timestamp, or an equal one and a higher number",
    "time-wait",
    "with a newer timestamp whatever its number",
  ),
  reuse("2", "no timestamp in the SYN: a higher number", "time-wait", "without a timestamp by its number"),
  reuse("2", "timestamps that the old connection had not", "time-wait", "where the old connection had no timestamps"),
  stamps("2.2", "windows of SYNs are not scaled, others are", "setup", "windows are scaled where both say so"),
  stamps("2.3", "a shift is 14 at most", "setup", "RFC 7323 section 2.3: a shift of more than 14"),
  stamps(
    "3.2",
    "agreed on, every segment has a timestamp",
    "timestamps",
    "section 3.2: once agreed on, every segment has one",
  ),
  stamps(
    "3.2",
    "not agreed on, none has, and none is heeded",
    "timestamps",
    "section 3.2: not agreed on, none is sent",
  ),
  stamps(
    "3.2",
    "a segment without one does not end the connection",
    "timestamps",
    "section 3.2: one without is dropped, and the connection stands",
  ),
  stamps("5.2", "RSTs are not put to the test", "timestamps", "section 5.2: a RST is taken whatever its timestamp"),
  stamps(
    "5.3, R1",
    "an older one: an ACK, and dropped",
    "timestamps",
    "section 5.3 R1: an older one is answered by an ACK",
  ),
  stamps("5.3, R1", "… so that an old FIN closes nothing", "timestamps", "section 5.3 R1: an old FIN closes nothing"),
  stamps("5.3, R3; 4.3", "which one is echoed", "timestamps", "section 5.3 R3"),
  stamps("5.5", "after 24 days any is taken", "timestamps", "section 5.5: after 24 days"),
];
