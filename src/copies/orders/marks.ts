/**
 * The marks of the operators on an image, `billing_tags` and `traits`, when it is copied again. Its owner decides when
 * that happens and from where, so a recopy must not be a way to shed a mark: it brings the changes that the source made
 * since it was copied from there, and leaves alone what the operators here added or changed.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ImageRecord, Marks } from '#lib/manifest/record.ts';

/** What a record notes of the marks that it came with; undefined when there were none. */
export function marksOf({ billing_tags, traits }: ImageRecord): Marks | undefined {
  if (!billing_tags && !traits) return undefined;
  return { ...(billing_tags && { billing_tags }), ...(traits && { traits }) };
}

/**
 * The record with the marks of `there` taken in.
 * @param from datacenter that `there` was read from; only the one that the record came from can take a mark away
 */
export function withMarksOf(record: ImageRecord, there: ImageRecord, from: string): ImageRecord {
  const isHome = record.copied_from?.datacenter === from;
  const base = (isHome ? record.copied_marks : undefined) ?? {};
  const billing_tags = mergedTags(record.billing_tags, there.billing_tags, base.billing_tags);
  const traits = mergedTraits(record.traits, there.traits, base.traits);
  const { billing_tags: _, traits: __, copied_marks: before, ...rest } = record;
  const copied_marks = isHome ? marksOf(there) : before;
  return {
    ...rest,
    ...(billing_tags.length > 0 && { billing_tags }),
    ...(Object.keys(traits).length > 0 && { traits }),
    ...(copied_marks && { copied_marks }),
  };
}

type Tags = readonly string[];

function mergedTags(here: Tags = [], there: Tags = [], base: Tags = []): string[] {
  const [isThere, wasThere] = [new Set(there), new Set(base)];
  const kept = new Set(here.filter((tag) => isThere.has(tag) || !wasThere.has(tag)));
  return [...new Set([...kept, ...there.filter((tag) => !wasThere.has(tag) || kept.has(tag))])];
}

type Traits = Readonly<Record<string, unknown>>;

function mergedTraits(here: Traits = {}, there: Traits = {}, base: Traits = {}): Traits {
  const names = [...new Set([...Object.keys(here), ...Object.keys(there)])];
  const merged = names.flatMap((name) => {
    const value = isDeepStrictEqual(here[name], base[name]) ? there[name] : (here[name] ?? undefined);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(merged);
}
