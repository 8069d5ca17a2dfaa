import { test } from 'tap';
import {
  archivePath,
  imageObjectDirectory,
  imageObjectPath,
  PULLS,
  pullObjectPath,
  pullsDay,
  pullsDirectory,
} from '#lib/manifest/object-paths.ts';

const UUID = '341ef22c-5a0f-11ed-b35e-aff9c7bdce6a';

test('the objects of an image lie below the first three characters of its UUID', async (t) => {
  t.equal(imageObjectDirectory(UUID), `images/341/${UUID}`);
  t.equal(imageObjectPath(UUID, 'file0'), `images/341/${UUID}/file0`);
  t.equal(imageObjectPath(UUID, 'file1'), `images/341/${UUID}/file1`);
  t.equal(imageObjectPath(UUID, 'icon'), `images/341/${UUID}/icon`);
  t.equal(archivePath(UUID), `archive/341/${UUID}.json`);
});

test('a pull link lies below the day on which it was made, in UTC', async (t) => {
  const day = pullsDay(Date.parse('2026-01-31T23:30:00-02:00'));
  t.equal(day, '20260201');
  t.equal(pullsDirectory(day), `${PULLS}/20260201`);
  t.equal(pullObjectPath(day, UUID, 1, 'req-1'), `pulls/20260201/${UUID}.file1.req-1`);
});
