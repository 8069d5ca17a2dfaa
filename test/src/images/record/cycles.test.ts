/** Images that would be their own origin, and those that are. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ALICE } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { unactivatedRecord } from '../../../helpers/records.ts';
import { fakeSource, json } from '../fake-source.ts';
import { putRecord, recordOf, refusal } from '../fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const alice = server.client({ account: ALICE });

/** Active images of alice, each the origin of the one before, and the first that of the last. */
async function ring(length: number): Promise<string[]> {
  const uuids: string[] = [];
  for (let i = 0; i < length; i++) uuids.push((await makeImage(operator, {}, { owner: ALICE, size: 10 })).image.uuid);
  for (const [i, uuid] of uuids.entries()) {
    const record = await recordOf(server, uuid);
    if (!record) throw new Error(`no image ${uuid}`);
    await putRecord(server, { ...record, origin: uuids[(i + 1) % length]! });
  }
  return uuids;
}

t.test('an import from a source closes no ring', async (t) => {
  const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
  const manifest = (uuid: string, origin: string) => json({ ...MANIFEST, v: 2, uuid, owner: ALICE, origin });
  const source = await fakeSource(t, {
    [`/images/${one}`]: manifest(one, two),
    [`/images/${two}`]: manifest(two, three),
    [`/images/${three}`]: manifest(three, one),
  });
  await operator.adminImportFromSource(one, source.url);
  await operator.adminImportFromSource(two, source.url);
  const refused = await refusal(operator.adminImportFromSource(three, source.url));
  t.match(refused, { status: 422, code: 'OriginChainTooLong', message: /would form a cycle/ });
  t.equal(await recordOf(server, three), undefined);
  const self = randomUUID();
  const liar = await fakeSource(t, { [`/images/${self}`]: manifest(self, self) });
  t.match(await refusal(operator.adminImportFromSource(self, liar.url)), { status: 422, fields: ['origin'] });
  t.equal(await recordOf(server, self), undefined);
});

t.test('an update closes no ring', async (t) => {
  const [one, two] = [randomUUID(), (await makeImage(operator, {}, { owner: ALICE, size: 10 })).image.uuid];
  await putRecord(server, unactivatedRecord(one, ALICE));
  await putRecord(server, { ...(await recordOf(server, two))!, origin: one });
  t.match(await refusal(operator.updateImage(one, { origin: two })), { status: 422, code: 'OriginChainTooLong' });
  t.match(await refusal(operator.updateImage(one, { origin: one })), { status: 422, fields: ['origin'] });
  t.equal((await recordOf(server, one))?.origin, undefined);
});

for (const length of [1, 2, 4]) {
  t.test(`a ring of ${length} can be deleted by its owner, but not what others build on`, async (t) => {
    const uuids = await ring(length);
    const [first = ''] = uuids;
    t.match(await refusal(alice.createImage({ ...MANIFEST, origin: first })), { code: 'OriginChainTooLong' });
    const outside = randomUUID();
    await putRecord(server, unactivatedRecord(outside, ALICE, { origin: first }));
    t.match(await refusal(alice.deleteImage(first)), { code: 'ImageHasDependentImages', message: new RegExp(outside) });
    await alice.deleteImage(outside);
    for (const uuid of uuids) await alice.deleteImage(uuid);
    for (const uuid of uuids) t.equal(await recordOf(server, uuid), undefined);
  });
}
