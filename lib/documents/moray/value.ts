/**
 * Documents as Moray keeps them: what a document has, under names that Moray takes, and beside it what is ours alone.
 *
 * The latter is a *stamp*, which no other write has. Moray's etag is a checksum of the content, so that a value that goes
 * 1, 2, 1 would get its first etag back; with a stamp no two states are alike.
 *
 * An index wins over the document when Moray answers, and arrays of texts lose something in their index: empty texts, the
 * word null, spaces at the ends. An array that has such elements is kept as it is beside one without them, which Moray
 * indexes. An older IMGAPI that changes the latter knows nothing of the former, so it counts only as long as they fit.
 */
import { deepFreeze } from '../deep-freeze.ts';
import { InvalidValueError } from '../errors.ts';
import { indexValue } from '../index-value.ts';
import { parseDocument } from '../parse-document.ts';
import type { Stored } from '../store.ts';
import type { MorayObject } from './connection.ts';
import type { Layout } from './layout.ts';
import { fieldOf, morayName } from './names.ts';

/** The field of a value in Moray that no document has. */
const OURS = '_imgapi';

interface Ours {
  readonly stamp?: string;
  /** By field: the array that Moray indexes, and the one that the document has. */
  readonly exact?: Readonly<Record<string, { readonly indexed: unknown; readonly whole: unknown }>>;
}

/** Whether an index of texts holds this one as it is, in an array. */
export function isSafeElement(text: string): boolean {
  return text !== '' && !/^null$/i.test(text) && (!/^\s|\s$/.test(text) || /[",{}\\]/.test(text));
}

/** @throws InvalidValueError */
export function toMoray(layout: Layout, document: object, stamp: string): Record<string, unknown> {
  const json: string | undefined = JSON.stringify(document);
  if (json?.[0] !== '{') throw new InvalidValueError(layout.name, '_value', 'a JSON object');
  const copy = parseDocument(json);
  const exact: Record<string, { indexed: unknown; whole: unknown }> = {};
  for (const [field, spec] of layout.fields) {
    // What JSON makes of a date or of NaN is not what the caller wrote.
    const value = Object.hasOwn(document, field) ? Reflect.get(document, field) : undefined;
    indexValue(layout.name, field, spec, value);
    if (spec.array !== true || spec.type !== 'string' || !Array.isArray(value)) continue;
    const indexed = (value as string[]).filter(isSafeElement);
    if (indexed.length === value.length) continue;
    exact[field] = { indexed, whole: copy[field] };
    copy[field] = indexed;
  }
  const fields = Object.entries(copy).map(([field, value]) => [morayName(field), value]);
  const ours: Ours = { stamp, ...(Object.keys(exact).length > 0 && { exact }) };
  return { ...Object.fromEntries(fields), [OURS]: ours };
}

/** The value in an answer is used up. */
export function fromMoray({ key, value, _etag, _mtime }: MorayObject): Stored<object> {
  const { [OURS]: ours, ...fields } = value;
  const { stamp, exact = {} } = readOurs(ours);
  const document = Object.fromEntries(
    Object.entries(fields).map(([name, content]) => {
      const field = fieldOf(name);
      const kept = Object.hasOwn(exact, field) ? exact[field] : undefined;
      const fits = kept !== undefined && JSON.stringify(kept.indexed) === JSON.stringify(content);
      return [field, fits ? kept.whole : content];
    }),
  );
  return Object.freeze({ key, value: deepFreeze<object>(document), etag: `${_etag}.${stamp ?? ''}`, mtime: _mtime });
}

/** The etag of what was written with that stamp. */
export function etagOf(morayEtag: string, stamp: string): string {
  return `${morayEtag}.${stamp}`;
}

/** What Moray knows of an etag. */
export function morayEtag(etag: string): string {
  const dot = etag.indexOf('.');
  return dot === -1 ? etag : etag.slice(0, dot);
}

function readOurs(ours: unknown): Ours {
  return typeof ours === 'object' && ours !== null ? ours : {};
}
