/**
 * Text of others (names of processes, arguments, paths, payload) made harmless for a terminal: control characters, which
 * could move the cursor or forge a line, and bidirectional marks, which could reorder one (Unicode TR 36), are written
 * as escapes.
 */
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** For text whose backslashes are escapes already. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

export function escapeForTerminal(text: string): string {
  return escapeControls(text.replaceAll("\\", "\\\\"));
}

/**
 * JSON that does no harm on a terminal either: JSON.stringify leaves DEL, C1's controls and the bidirectional marks as they
 * are. It says the same: in JSON any character may be written as an escape, and these are in strings only.
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(UNSAFE, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** What XML 1.0 can't hold, not even as a reference: two noncharacters, and halves of surrogate pairs. */
const NOT_XML = /[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const REFERENCES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text whose backslashes are escapes already, as text or as an attribute's value (in quotes) of HTML and XML. */
export function escapeMarkup(text: string): string {
  return escapeControls(text)
    .replace(NOT_XML, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"']/g, (character) => REFERENCES[character]!);
}

/** Any text as text or as an attribute's value (in quotes) of HTML and XML, see {@link escapeForTerminal}. */
export function escapeForHtml(text: string): string {
  return escapeMarkup(escapeForTerminal(text));
}

const SECRET_FLAG = /(pass(word|wd|phrase)?|token|secret|key|credential|auth)/i;

/** Arguments with the values of password-, token- and key-like flags replaced by `***`. */
export function maskSecrets(commandLine: readonly string[]): string[] {
  return commandLine.map((argument, i) => {
    const equals = argument.indexOf("=");
    if (equals > 0 && SECRET_FLAG.test(argument.slice(0, equals))) return `${argument.slice(0, equals)}=***`;
    const flag = commandLine[i - 1];
    const isValue = i > 1 && !argument.startsWith("-") && /^--?\w/.test(flag!) && !flag!.includes("=");
    return isValue && SECRET_FLAG.test(flag!) ? "***" : argument;
  });
}
