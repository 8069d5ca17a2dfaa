/** GetImageAncestry: an image and what it builds on, as far as the caller sees it. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Asker, asker } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';

/** Base first: each builds on the one before it. */
function chainOf(members: readonly Partial<ImageRecord>[]): ImageRecord[] {
  const chain: ImageRecord[] = [];
  for (const fields of members) {
    const origin = chain.at(-1)?.uuid;
    chain.push(imageRecord('active', { ...fields, ...(origin === undefined ? {} : { origin }) }));
  }
  return chain;
}

async function ancestry(ask: Asker, uuid: string, account?: string): Promise<string[]> {
  const query = account === undefined ? '' : `?account=${account}`;
  const answer = await ask(`/images/${uuid}/ancestry${query}`, { headers: { 'accept-version': '~3' } });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json.map((image: { uuid: string }) => image.uuid);
}

test('the chain begins with the image and ends with its base', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  for (const length of [1, 2, 5]) {
    const chain = chainOf(Array.from({ length }, () => ({})));
    await putRecords(imgapi.service, chain);
    const downward = chain.toReversed().map(({ uuid }) => uuid);
    for (const i of chain.keys()) t.strictSame(await ancestry(ask, downward[i]!), downward.slice(i));
  }
});

test('each member is the image as GetImage shows it', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const chain = chainOf([{ owner: BOB, public: true, acl: [CAROL] }, { acl: [CAROL] }]);
  await putRecords(imgapi.service, chain);
  for (const account of ['', `?account=${ALICE}`, `?account=${CAROL}`]) {
    const headers = { 'accept-version': '~3' };
    const found = await ask(`/images/${chain[1]?.uuid}/ancestry${account}`, { headers });
    const images = await Promise.all(
      chain.toReversed().map(async ({ uuid }) => (await ask(`/images/${uuid}${account}`, { headers })).json),
    );
    t.strictSame(found.json, images, account);
  }
});

test('the chain ends above the first origin that the caller does not see, or that is not here', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const chain = chainOf([
    { owner: BOB, public: true },
    { owner: CAROL },
    { owner: BOB, acl: [ALICE] },
    { owner: ALICE },
  ]);
  await putRecords(imgapi.service, chain);
  const [base, hidden, shared, own] = chain.map(({ uuid }) => uuid);
  t.strictSame(await ancestry(ask, own!, ALICE), [own, shared], 'nothing below a hidden image, not even a public one');
  t.strictSame(await ancestry(ask, own!), [own, shared, hidden, base], 'an operator sees all');
  t.strictSame(await ancestry(ask, shared!, BOB), [shared]);
  t.strictSame(await ancestry(ask, hidden!, CAROL), [hidden, base]);

  const orphan = imageRecord('active', { origin: randomUUID() });
  const onTombstone = imageRecord('tombstone');
  const above = imageRecord('active', { origin: onTombstone.uuid });
  await putRecords(imgapi.service, [orphan, onTombstone, above]);
  t.strictSame(await ancestry(ask, orphan.uuid), [orphan.uuid]);
  t.strictSame(await ancestry(ask, above.uuid), [above.uuid]);
});

test('a chain that turns back on itself, or has no end, is told once and at most a hundred members long', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const self = randomUUID();
  const [one, two] = [randomUUID(), randomUUID()];
  const long = chainOf(Array.from({ length: 130 }, () => ({})));
  await putRecords(imgapi.service, [
    imageRecord('active', { uuid: self, origin: self }),
    imageRecord('active', { uuid: one, origin: two }),
    imageRecord('active', { uuid: two, origin: one }),
    ...long,
  ]);
  t.strictSame(await ancestry(ask, self), [self]);
  t.strictSame(await ancestry(ask, one), [one, two]);
  const downward = long.toReversed().map(({ uuid }) => uuid);
  t.strictSame(await ancestry(ask, downward[0]!), downward.slice(0, 100));
});

test('the ancestry of an image that the caller does not see is not there, in any version', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('active');
  await putRecords(imgapi.service, [record]);
  for (const version of ['~1', '~2', '*', '~3']) {
    for (const uuid of [record.uuid, randomUUID(), 'no-uuid']) {
      const answer = await ask(`/images/${uuid}/ancestry?account=${BOB}`, { headers: { 'accept-version': version } });
      t.equal(answer.status, 404);
      t.equal(answer.json.code, 'ResourceNotFound');
    }
  }
});
