/** Reads markup as strictly as XML wants it, and gives what is in it; throws where it is not well-formed. */

export interface Element {
  name: string;
  attributes: Record<string, string>;
  /** All text within, references replaced. */
  text: string;
}

const VOID = new Set(["meta", "!doctype"]);
const TAG = /<(\/?)([a-z!][a-z0-9]*)((?:\s+[a-z][a-z0-9:-]*(?:="[^"<]*")?)*)\s*(\/?)>/giy;
const ATTRIBUTE = /([a-z][a-z0-9:-]*)(?:="([^"]*)")?/gi;
const REFERENCES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|\p{Surrogate}/u;

function resolve(text: string): string {
  return text.replace(/&([^;]*;?)/g, (whole, name: string) => {
    const character = REFERENCES[name.slice(0, -1)];
    if (character === undefined) throw new Error(`a bare ampersand: ${text.slice(0, 80)} (${whole})`);
    return character;
  });
}

/** Every element of an XML document, or of an HTML one that closes all of its elements, in document order. */
export function readMarkup(markup: string): Element[] {
  const bad = FORBIDDEN.exec(markup);
  if (bad) throw new Error(`U+${bad[0].charCodeAt(0).toString(16)} at ${bad.index}`);
  const all: Element[] = [];
  const open: Element[] = [];
  const put = (text: string) => open.forEach((element) => (element.text += text));
  for (let at = 0; at < markup.length;) {
    const raw = open.at(-1)?.name === "style" || open.at(-1)?.name === "script";
    const next = markup.indexOf(raw ? `</${open.at(-1)!.name}>` : "<", at);
    const text = markup.slice(at, next < 0 ? undefined : next);
    put(raw ? text : resolve(text));
    if (next < 0) break;
    TAG.lastIndex = next;
    const tag = TAG.exec(markup);
    if (!tag) throw new Error(`not a tag: ${markup.slice(next, next + 80)}`);
    const [whole, closes, name, attributes, empty] = tag as unknown as [string, string, string, string, string];
    at = next + whole.length;
    if (closes) {
      const element = open.pop();
      if (element?.name !== name) throw new Error(`</${name}> ends <${element?.name}>`);
      continue;
    }
    const pairs = [...attributes.matchAll(ATTRIBUTE)].map(([, key, value]) => [key!, resolve(value ?? "")]);
    const element: Element = { name, attributes: Object.fromEntries(pairs) as Record<string, string>, text: "" };
    all.push(element);
    if (!empty && !VOID.has(name)) open.push(element);
  }
  if (open.length > 0) throw new Error(`not ended: ${open.map(({ name }) => name).join(" ")}`);
  return all;
}
