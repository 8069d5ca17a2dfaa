import { test } from 'tap';
import type { ImageRecord, Marks } from '#lib/manifest/record.ts';
import { withMarksOf } from '#src/copies/orders/marks.ts';

interface Case {
  readonly what: string;
  readonly here: Marks;
  /** What it came with from `east`. */
  readonly came: Marks;
  readonly there: Marks;
  readonly from?: string;
  readonly expected: Marks;
}

const CASES: readonly Case[] = [
  {
    what: 'what the source added comes',
    here: {},
    came: {},
    there: { billing_tags: ['a'], traits: { x: true } },
    expected: { billing_tags: ['a'], traits: { x: true } },
  },
  {
    what: 'what the source changed is changed',
    here: { billing_tags: ['a'], traits: { x: '1' } },
    came: { billing_tags: ['a'], traits: { x: '1' } },
    there: { billing_tags: ['b'], traits: { x: '2' } },
    expected: { billing_tags: ['b'], traits: { x: '2' } },
  },
  {
    what: 'what the source took away goes',
    here: { billing_tags: ['a'], traits: { x: '1' } },
    came: { billing_tags: ['a'], traits: { x: '1' } },
    there: {},
    expected: {},
  },
  {
    what: 'what operators here added stays',
    here: { billing_tags: ['a', 'own'], traits: { x: '1', own: true } },
    came: { billing_tags: ['a'], traits: { x: '1' } },
    there: {},
    expected: { billing_tags: ['own'], traits: { own: true } },
  },
  {
    what: 'what operators here changed stays',
    here: { traits: { x: 'own' } },
    came: { traits: { x: '1' } },
    there: { traits: { x: '2' } },
    expected: { traits: { x: 'own' } },
  },
  {
    what: 'what operators here took away stays away',
    here: {},
    came: { billing_tags: ['a'], traits: { x: '1' } },
    there: { billing_tags: ['a'], traits: { x: '1' } },
    expected: {},
  },
  {
    what: 'a source that it did not come from takes nothing away',
    here: { billing_tags: ['a'], traits: { x: '1' } },
    came: { billing_tags: ['a'], traits: { x: '1' } },
    there: { billing_tags: ['b'], traits: { x: '2', y: '3' } },
    from: 'south',
    expected: { billing_tags: ['a', 'b'], traits: { x: '1', y: '3' } },
  },
];

for (const { what, here, came, there, from = 'east', expected } of CASES) {
  test(`marks: ${what}`, async (t) => {
    const copied_from = { datacenter: 'east', at: '2026-01-01T00:00:00.000Z' };
    const record = { uuid: 'x', ...here, copied_from, copied_marks: came } as ImageRecord;
    const { copied_marks, ...merged } = withMarksOf(record, there as ImageRecord, from);
    t.strictSame(merged, { uuid: 'x', copied_from, ...expected });
    t.strictSame(copied_marks ?? {}, from === 'east' ? there : came);
  });
}
