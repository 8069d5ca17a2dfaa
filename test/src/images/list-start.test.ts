import { test } from 'tap';
import { type Cursor, startOf } from '#src/images/list-start.ts';

const UUID = 'a820621a-5007-4a2a-9636-edde80910600';
const publishedAt = '2020-02-03T04:05:06.007Z';
const image: Cursor = { publishedAt, uuid: UUID };

test('a list from an image on begins right before its place, whatever it is filtered by', async (t) => {
  const [before, behind] = ['a820621a-5007-4a2a-9636-edde809105ff', 'a820621a-5007-4a2a-9636-edde80910601'];
  t.same(startOf({ image }, undefined, 'asc'), { after: { publishedAt, uuid: before }, conditions: [] });
  t.same(startOf({ image }, undefined, 'desc'), { after: { publishedAt, uuid: behind }, conditions: [] });
  const undated = { publishedAt: null, uuid: UUID };
  t.same(startOf({ image: undated }, undefined, 'desc'), { after: { ...undated, uuid: behind }, conditions: [] });
});

test('the first and the last UUID have none before them, and a condition says where the list begins', async (t) => {
  for (const [digit, order] of [
    ['0', 'asc'],
    ['f', 'desc'],
  ] as const) {
    const uuid = UUID.replaceAll(/[0-9a-f]/g, digit);
    const { after, conditions } = startOf({ image: { publishedAt, uuid } }, undefined, order);
    t.equal(after, undefined);
    t.equal(conditions.length, 1);
  }
});

test('a list that has begun goes on where it is, or begins later if the marker is behind that', async (t) => {
  const later = { publishedAt: '2021-01-01T00:00:00.000Z', uuid: UUID };
  t.same(startOf({ image }, later, 'asc').after, later);
  t.match(startOf({ image }, later, 'desc').after, { publishedAt });
  t.same(startOf(undefined, later, 'asc'), { after: later, conditions: [] });
});

test('a list from a date on begins near it going down, and conditions say where exactly', async (t) => {
  const { after, conditions } = startOf({ publishedAt }, undefined, 'desc');
  t.equal(after?.publishedAt, '2020-02-03T04:05:07.000Z');
  t.equal(conditions.length, 1);
  t.equal(startOf({ publishedAt: '9999-12-31T23:59:59.999Z' }, undefined, 'desc').after, undefined);
  t.equal(startOf({ publishedAt }, undefined, 'asc').after, undefined, 'going up the condition alone is a place');
});
