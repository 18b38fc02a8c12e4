/**
 * The memory that the row formatter (assembly/) and its caller (../socket-rows.ts) share, in bytes from its start. This
 * file is compiled as TypeScript and as AssemblyScript: nothing but numbers.
 *
 *     WIDTHS, WIDEST       an i32 a column
 *     IN_AT to KEY         an i32 each
 *     TEXTS                fixed texts, written by the caller
 *     USERS, INTERFACES    names seen lately, written by the caller when asked
 *     INPUT                a piece of the kernel's answer
 *     OUTPUT               rows; the last area, so that it can grow
 */

/** The widths to pad to. */
export const WIDTHS = 0;
/** The widest text of each column so far. */
export const WIDEST = 64;
/** The first message for which nothing was done yet. */
export const IN_AT = 128;
/** Where the next row goes. */
export const OUT_AT = 132;
/** How many rows were written since the start. */
export const ROWS = 136;
/** With USER: the uid; with INTERFACE: its index; with OWNER: the socket's inode. */
export const KEY = 140;

/** What the formatter returns with: no whole message is left. */
export const DONE = 0;
/** The output is to be taken. */
export const FULL = 1;
/** The name of a user is to be put into its slot. */
export const USER = 2;
/** The name of a device is to be put into its slot. */
export const INTERFACE = 3;
/** The rest of the row is to be written: who holds the socket, and the end of the line. */
export const OWNER = 4;

/** Slots of 16 bytes: a text, and its length in the last byte. */
export const TEXTS = 0x100;
export const TEXT_SLOT = 16;
export const TEXT_LENGTH = 15;
/** The first slots are the states, by the kernel's number. An empty text is a state or timer without name. */
export const NAMED_STATES = 16;
export const FIRST_TIMER_TEXT = 16;
export const NAMED_TIMERS = 8;
export const TCP4_TEXT = 24;
export const TCP6_TEXT = 25;
export const TCP46_TEXT = 26;
export const UNKNOWN_STATE_TEXT = 27;
export const UNKNOWN_TIMER_TEXT = 28;
export const MAPPED_PREFIX_TEXT = 29;

/** Tables of slots, a key belonging to the slot of its remainder: key, 1 if filled, length (u32 each), name. */
export const USERS = 0x1000;
export const INTERFACES = 0x5000;
export const NAME_SLOTS = 16;
export const NAME_SLOT = 0x400;
export const NAME_FILLED = 4;
export const NAME_LENGTH = 8;
export const NAME = 12;
export const NAME_ROOM = 0x3f4;

/** Twice what the kernel sends at once (NLMSG_DEFAULT_SIZE in net/netlink/af_netlink.c). */
export const INPUT = 0x10000;
export const INPUT_LENGTH = 0x10000;

export const OUTPUT = 0x20000;
/** From here on no row is begun. */
export const OUTPUT_FULL = 0x50000;
/** The most that a row takes, padding and owners aside: two names, less than 300 bytes, and what writing in words touches. */
export const ROW_ROOM = 0x1000;
