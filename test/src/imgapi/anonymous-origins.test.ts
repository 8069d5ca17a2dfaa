/** Public and private servers: the disabled images that those who do not sign need for what they see. */
import { type Test, test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Asker, asker } from './fixtures/ask.ts';
import { BYTES, imageRecord, putObject, putRecords, type State } from './fixtures/records.ts';
import { AUTH_KEYS, signedHeaders } from './fixtures/signing.ts';

const MODES = ['public', 'private'] as const;

interface Chain {
  readonly ask: Asker;
  /** The last one is the base. */
  readonly images: readonly ImageRecord[];
}

/** Images of which each builds on the next. */
async function chainOf(t: Test, mode: (typeof MODES)[number], states: readonly State[]): Promise<Chain> {
  const { imgapi, url } = await startInProcess(t, { mode, authType: 'signature', authKeys: AUTH_KEYS });
  const images: ImageRecord[] = [];
  for (const state of states.toReversed()) {
    const origin = images[0]?.uuid;
    images.unshift(imageRecord(state, { public: mode === 'public', ...(origin !== undefined && { origin }) }));
  }
  await putRecords(imgapi.service, images);
  for (const { uuid } of images) await putObject(imgapi.service, uuid, 'file0', BYTES);
  return { ask: asker(t, url), images };
}

async function statuses({ ask, images }: Chain, what = ''): Promise<number[]> {
  return Promise.all(images.map(async ({ uuid }) => (await ask(`/images/${uuid}${what}`)).status));
}

test('what an active image builds on is there by UUID, down to the base, and in no list', async (t) => {
  for (const mode of MODES) {
    const chain = await chainOf(t, mode, ['active', 'disabled', 'disabled', 'disabled']);
    t.strictSame(await statuses(chain), [200, 200, 200, 200], mode);
    t.strictSame(await statuses(chain, '/file'), [200, 200, 200, 200]);
    t.strictSame(await statuses(chain, '/icon'), [404, 404, 404, 404], 'which have none');
    const [top] = chain.images;
    const listed = (await chain.ask('/images?state=all')).json as { uuid: string }[];
    t.strictSame(
      listed.map(({ uuid }) => uuid),
      [top?.uuid],
    );
    t.strictSame((await chain.ask('/images?state=disabled')).json, []);
    const ancestry = await chain.ask(`/images/${top?.uuid}/ancestry`, { headers: { 'accept-version': '~3' } });
    t.equal(ancestry.json.length, 4);
    const write = await chain.ask(`/images/${chain.images[1]?.uuid}?action=enable`, { method: 'POST' });
    t.equal(write.status, 401, 'and nobody changes it');
  }
});

test('what only images build on that are not active themselves is hidden as before', async (t) => {
  for (const mode of MODES) {
    for (const state of ['disabled', 'unactivated', 'failed', 'copying', 'tombstone'] as const) {
      const chain = await chainOf(t, mode, [state, 'disabled']);
      t.strictSame(await statuses(chain), [404, 404], `${mode}, ${state}`);
      t.strictSame(await statuses(chain, '/file'), [404, 404]);
    }
    const chain = await chainOf(t, mode, ['active', 'unactivated', 'disabled']);
    t.strictSame(await statuses(chain), [200, 404, 404], 'nobody needs what is not activated');
  }
});

test('whoever signs sees all of it anyway', async (t) => {
  const { ask, images } = await chainOf(t, 'public', ['unactivated', 'disabled']);
  for (const { uuid } of images) t.equal((await ask(`/images/${uuid}`, { headers: signedHeaders() })).status, 200);
});
