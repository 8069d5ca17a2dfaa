/** The few forms of XML that S3 speaks. */

export type Xml = string | number | boolean | readonly Xml[] | { readonly [name: string]: Xml | undefined };

export function xmlDocument(name: string, content: Xml): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, content)}`;
}

/** A list repeats its element. */
function element(name: string, content: Xml): string {
  if (Array.isArray(content)) return content.map((each: Xml) => element(name, each)).join('');
  if (typeof content !== 'object') return `<${name}>${escapeText(String(content))}</${name}>`;
  const members = Object.entries(content)
    .filter((entry): entry is [string, Xml] => entry[1] !== undefined)
    .map(([key, value]) => element(key, value));
  return `<${name}>${members.join('')}</${name}>`;
}

/** The texts of all elements of a name, which must not contain others. */
export function textsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => unescapeText(text));
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function unescapeText(text: string): string {
  const named: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (_, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    return name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : (named[name] ?? '');
  });
}
