import { createHash, randomBytes } from 'node:crypto';
import { type Test, test } from 'tap';
import type { LinkPieces } from '#lib/api/schemas/link.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { PIECE_LISTS, removePieceLists } from '#src/images/files/piece-lists.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { clientOf, type Datacenter, linkedPair, putImage, putObject } from '../../../helpers/datacenter.ts';

const MIB = 1024 * 1024;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function linked(t: Test): Promise<{ source: Datacenter; ask: (path: string) => Promise<LinkPieces> }> {
  const { east, west: source } = await linkedPair(t);
  const client = await clientOf(east, source.name);
  const ask = async (path: string) => (await client.json({ method: 'GET', path })) as LinkPieces;
  return { source, ask };
}

test('a linked datacenter is told the hash of each piece of a file, page by page', async (t) => {
  const { source, ask } = await linked(t);
  const bytes = randomBytes(257 * MIB);
  const { record, sha1 } = await putImage(source, ALICE, {}, bytes);
  const path = `/link/images/${record.uuid}/file/pieces?account=${ALICE}`;
  const first = await ask(path);
  t.equal(first.sha1, sha1);
  t.equal(first.piece_bytes, 8 * MIB);
  t.equal(first.sha256.length, 32);
  t.equal(first.sha256[0], sha256(bytes.subarray(0, 8 * MIB)));
  t.equal(first.sha256[31], sha256(bytes.subarray(31 * 8 * MIB, 32 * 8 * MIB)));
  t.same((await ask(`${path}&page=1`)).sha256, [sha256(bytes.subarray(256 * MIB))]);
  t.same((await ask(`${path}&page=2`)).sha256, []);
});

test('a page is computed once, even if it is asked for by many at one moment', async (t) => {
  const { source, ask } = await linked(t);
  const { record } = await putImage(source, ALICE, {}, randomBytes(9 * MIB));
  const local = source.service.storages.named('local');
  let reads = 0;
  const read = local.read.bind(local);
  local.read = (path, options) => {
    reads += 1;
    return read(path, options);
  };
  const path = `/link/images/${record.uuid}/file/pieces?account=${ALICE}`;
  const [first, ...others] = await Promise.all([ask(path), ask(path), ask(path)]);
  for (const other of [...others, await ask(path)]) t.same(other, first);
  t.equal(reads, 1);
});

test('the list of a file that was replaced or removed is neither told nor kept', async (t) => {
  const { source, ask } = await linked(t);
  const { store, storages } = source.service;
  const kept = await putImage(source, ALICE);
  const { record, sha1 } = await putImage(source, ALICE);
  const { record: gone } = await putImage(source, ALICE);
  const pathOf = (uuid: string) => `/link/images/${uuid}/file/pieces?account=${ALICE}`;
  for (const uuid of [kept.record.uuid, record.uuid, gone.uuid]) await ask(pathOf(uuid));
  t.equal(await store.count(PIECE_LISTS), 3);
  t.equal(await removePieceLists(source.service), 0);
  const bytes = randomBytes(50_001);
  await putObject(storages.named('local'), imageObjectPath(record.uuid, 'file0'), bytes);
  const other = { ...record.files![0]!, sha1: createHash('sha1').update(bytes).digest('hex'), size: bytes.length };
  await store.batch([
    { op: 'put', bucket: IMAGES, key: record.uuid, value: { ...record, files: [other] } },
    { op: 'del', bucket: IMAGES, key: gone.uuid },
  ]);
  t.match(await ask(pathOf(record.uuid)), { sha1: other.sha1, sha256: [sha256(bytes)] });
  await t.rejects(ask(pathOf(gone.uuid)), { statusCode: 404, code: 'ResourceNotFound' });
  t.equal(await removePieceLists(source.service), 2);
  const left = await store.find(PIECE_LISTS, {});
  t.same(left.map(({ value }) => value.sha1).toSorted(), [kept.sha1, other.sha1].toSorted());
  t.notOk(left.some(({ value }) => value.sha1 === sha1));
});

test('nobody is told about the pieces of an image that the account does not own', async (t) => {
  const { source, ask } = await linked(t);
  const { record } = await putImage(source, ALICE, { public: true });
  await t.rejects(ask(`/link/images/${record.uuid}/file/pieces?account=${BOB}`), {
    name: 'ImgapiError',
    statusCode: 404,
  });
  t.equal(await source.service.store.count(PIECE_LISTS), 0);
});
