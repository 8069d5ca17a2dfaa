/** Bytes that came by a link and are read after the copy: the server is killed before that, or they are wrong. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { ImgapiError } from '#lib/client/errors.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { BOB } from '../helpers/accounts.ts';
import { type Cloud, type Site, startCloud } from '../helpers/cloud.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { assertSound, sha1Served } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';
import { send } from '../src/images/fixture.ts';

const SIZE = 200_000;

/** Two datacenters with an image each of the same bytes, of which all hashes are known. */
async function sameBytes(t: Test): Promise<Cloud & { readonly there: string; readonly here: string; bytes: Buffer }> {
  const { east, west } = await startCloud(t, { west: { uploads: { lateMd5Bytes: 1000 } } });
  const bytes = randomBytes(SIZE);
  const [{ image: there }, { image: here }] = await Promise.all([
    makeImage(east.alice, { acl: [BOB] }, { bytes }),
    makeImage(west.alice, {}, { bytes }),
  ]);
  t.equal(await sha1Served(west.alice, here.uuid), sha1Of(bytes));
  return { east, west, there: there.uuid, here: here.uuid, bytes };
}

test('A server that dies before it has read what came by a link reads it when it is back, and then gives it out', async (t) => {
  const { east, west, there, bytes } = await sameBytes(t);
  await west.restart({ fault: 'late-hash:computed=kill' });
  await west.order(there, east.name);
  await west.diesByItself();
  await west.start();
  t.match(await west.ended(there), { state: 'succeeded', images: [{ source: 'here' }] });
  t.equal(await sha1Served(west.alice, there), sha1Of(bytes));
  await assertSound(t, west);
});

/** By whichever way somebody asks first: the SHA-1 of what is given out, or of a part of it. */
const TAKEN: Readonly<Record<string, (west: Site, uuid: string) => Promise<string>>> = {
  whole: ({ alice }, uuid) => sha1Served(alice, uuid),
  'in part': async ({ front, alice }, uuid) => {
    const { owner } = await alice.getImage(uuid);
    const headers = { range: `bytes=0-${SIZE - 2}` };
    return given(await send(front.url, { path: `/images/${uuid}/file?account=${owner}`, headers }));
  },
  'to a clone': async (west, uuid) => {
    const bob = west.client(BOB);
    return sha1Served(bob, (await bob.cloneImage(uuid)).uuid);
  },
  'by a pull URL': async ({ front }, uuid) => {
    const made = await send(front.url, { method: 'POST', path: `/images/${uuid}/file/pull-url` });
    const { pathname, search } = new URL(String(made.json?.['url'] ?? front.url));
    return made.status === 200 ? given(await send(front.url, { path: pathname + search })) : `${made.status}`;
  },
};

function given({ status, bytes }: { readonly status: number; readonly bytes: Buffer }): string {
  return status >= 300 ? `${status}` : sha1Of(bytes);
}

for (const [how, take] of Object.entries(TAKEN)) {
  test(`Wrong bytes that came by a link are not given out ${how}, and replaced by those of the source`, async (t) => {
    const { east, west, there, here, bytes } = await sameBytes(t);
    await writeFile(join(west.dataDir, 'storage', imageObjectPath(here, 'file0')), Buffer.alloc(SIZE));
    t.match(await west.copy(there, east.name), { state: 'succeeded', images: [{ source: 'here' }] });
    const taken = await take(west, there).catch((error: unknown) =>
      error instanceof ImgapiError ? error.code : error,
    );
    const right = [bytes, bytes.subarray(0, SIZE - 1)].map(sha1Of);
    // They may have been replaced by then, on a slow machine.
    t.ok(['FileDamaged', '503', ...right].includes(String(taken)), String(taken));
    const mended = () => sha1Served(west.alice, there).catch(() => undefined);
    await waitFor('the bytes of the source', async () => (await mended()) === sha1Of(bytes));
    await assertSound(t, west);
  });
}
