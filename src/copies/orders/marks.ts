/**
 * What happens to the operators' marks on an image, `billing_tags` and `traits`, when it is copied again. The owner
 * decides when and from where, so a recopy must not be a way to get rid of a mark. It brings the changes made at the
 * source since the image was copied from there, and keeps whatever the operators here added or changed.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ImageRecord, Marks } from '#lib/manifest/record.ts';

/** The marks that the image came with, to be kept in the record; undefined if there were none. */
export function marksOf({ billing_tags, traits }: ImageRecord): Marks | undefined {
  if (!billing_tags && !traits) return undefined;
  return { ...(billing_tags && { billing_tags }), ...(traits && { traits }) };
}

/**
 * The record with the marks of `there` merged in.
 * @param from the datacenter that `there` comes from; only the one that the record was copied from can remove a mark
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
