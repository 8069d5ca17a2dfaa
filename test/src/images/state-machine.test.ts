import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { unactivatedRecord } from '../../helpers/records.ts';
import { TestClock } from '../../helpers/test-clock.ts';
import { putRecord, recordOf, refusal, send } from './fixture.ts';

const clock = new TestClock();
const server = await startInProcess(t, {}, { clock });
const client = server.client();

const FILE: FileRecord = {
  sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  size: 1,
  contentMD5: 'x',
  mtime: '2026-01-01T00:00:00.000Z',
  stor: 'local',
  compression: 'none',
};
const PUBLISHED = '2026-01-01T00:00:00.000Z';
const active: Partial<ImageRecord> = { activated: true, state: 'active', published_at: PUBLISHED, files: [FILE] };
const copyMark = { datacenter: 'elsewhere', sha1: FILE.sha1, size: 1 };

const STATES = {
  'unactivated without a file': {},
  'unactivated with a file': { files: [FILE] },
  'unactivated and disabled with a file': { files: [FILE], disabled: true },
  active,
  disabled: { ...active, disabled: true, state: 'disabled' },
  creating: { state: 'creating' },
  'creating with a file': { state: 'creating', files: [FILE] },
  failed: { state: 'failed', error: { message: 'no room' } },
  'failed with a file': { state: 'failed', files: [FILE] },
  'creating and unknown yet': { state: 'creating', type: 'null', os: 'null' },
  'being copied': { state: 'creating', copy: { ...copyMark, state: 'live' } },
  'left by a failed copy': { state: 'creating', copy: { ...copyMark, state: 'failed' } },
} as const satisfies Record<string, Partial<ImageRecord>>;

const EVENTS = {
  'add a file': (uuid: string) => client.addImageFile(uuid, oneByte(), { compression: 'none' }),
  activate: (uuid: string) => client.activateImage(uuid),
  disable: (uuid: string) => client.disableImage(uuid),
  enable: (uuid: string) => client.enableImage(uuid),
  update: (uuid: string) => client.updateImage(uuid, { description: 'new' }),
  'put an icon': (uuid: string) => client.addImageIcon(uuid, Buffer.from('x'), 'image/png'),
} as const satisfies Record<string, (uuid: string) => Promise<Image>>;

type State = keyof typeof STATES;
type Event = keyof typeof EVENTS;

async function* oneByte() {
  yield Buffer.from('x');
}

/** The state afterwards, or the code of the refusal. */
const unknown = 'ValidationFailed';
const live = 'ImageCopyInProgress';
const left = 'ImageCopyFailed';
const TABLE: Readonly<Record<State, Readonly<Record<Event, string>>>> = {
  'unactivated without a file': row('unactivated', 'NoActivationNoFile', 'unactivated', 'unactivated', 'unactivated'),
  'unactivated with a file': row('unactivated', 'active', 'unactivated', 'unactivated', 'unactivated'),
  'unactivated and disabled with a file': row('unactivated', 'disabled', 'unactivated', 'unactivated', 'unactivated'),
  active: row('ImageFilesImmutable', 'ImageAlreadyActivated', 'disabled', 'active', 'active'),
  disabled: row('ImageFilesImmutable', 'ImageAlreadyActivated', 'disabled', 'active', 'disabled'),
  creating: row('creating', 'NoActivationNoFile', 'unactivated', 'unactivated', 'creating'),
  'creating with a file': row('creating', 'active', 'unactivated', 'unactivated', 'creating'),
  failed: row('failed', 'NoActivationNoFile', 'unactivated', 'unactivated', 'failed'),
  'failed with a file': row('failed', 'active', 'unactivated', 'unactivated', 'failed'),
  'creating and unknown yet': row('creating', 'NoActivationNoFile', unknown, unknown, 'creating'),
  'being copied': row(live, live, live, live, live),
  'left by a failed copy': row(left, left, left, left, left),
};

function row(addFile: string, activate: string, disable: string, enable: string, stays: string): Record<Event, string> {
  return { 'add a file': addFile, activate, disable, enable, update: stays, 'put an icon': stays };
}

async function put(fields: Partial<ImageRecord>): Promise<string> {
  const uuid = randomUUID();
  await putRecord(server, unactivatedRecord(uuid, ALICE, fields));
  return uuid;
}

for (const state of Object.keys(STATES) as State[]) {
  for (const event of Object.keys(EVENTS) as Event[]) {
    const expected = TABLE[state][event];
    t.test(`${event} on an image that is ${state}: ${expected}`, async (t) => {
      const uuid = await put(STATES[state]);
      const before = await recordOf(server, uuid);
      if (/^[A-Z]/.test(expected)) {
        t.equal((await refusal(EVENTS[event](uuid))).code, expected);
        t.same(await recordOf(server, uuid), before, 'nothing has changed');
        return;
      }
      const image = await EVENTS[event](uuid);
      t.equal(image.state, expected);
      t.equal((await client.getImage(uuid)).state, expected, 'and so it stays');
      const stored = await recordOf(server, uuid);
      t.equal(stored?.state, expected, 'an older IMGAPI reads the same');
      t.equal(stored?.activated, ['active', 'disabled'].includes(expected));
    });
  }
}

t.test('disabling is remembered until the image is activated', async (t) => {
  const { image } = await makeImage(client, {}, { owner: ALICE, size: 1, activate: false });
  t.match(await client.disableImage(image.uuid), { state: 'unactivated', disabled: true });
  t.match(await client.activateImage(image.uuid), { state: 'disabled', disabled: true });
  t.match(await client.enableImage(image.uuid), { state: 'active', disabled: false });
});

t.test('activation dates the image, and later changes leave the date as it is', async (t) => {
  clock.ahead = 3_600_000;
  const before = clock.now();
  const { image } = await makeImage(client, {}, { owner: ALICE, size: 1 });
  const date = Date.parse(image.published_at ?? '');
  t.ok(date >= before && date <= clock.now());
  clock.ahead = 7_200_000;
  t.equal((await client.disableImage(image.uuid)).published_at, image.published_at);
  t.equal((await client.enableImage(image.uuid)).published_at, image.published_at);
  clock.ahead = 0;
});

t.test('an imported image keeps the date that it came with', async (t) => {
  const published_at = '2013-04-05T06:07:08.009Z';
  const uuid = randomUUID();
  await client.adminImportImage({
    v: 2,
    uuid,
    owner: ALICE,
    name: 'old',
    version: '1',
    type: 'lx-dataset',
    os: 'linux',
    published_at,
  });
  await EVENTS['add a file'](uuid);
  t.match(await client.activateImage(uuid), { state: 'active', published_at });
});

t.test('activation ends the expiry of a placeholder and forgets its error', async (t) => {
  const uuid = await put({
    state: 'failed',
    files: [FILE],
    error: { message: 'no room' },
    expires_at: '2099-01-01T00:00:00.000Z',
  });
  t.match(await client.getImage(uuid), { state: 'failed', error: { message: 'no room' } });
  t.match(await client.activateImage(uuid), { state: 'active', error: undefined });
  const stored = await recordOf(server, uuid);
  t.equal(stored?.expires_at, undefined);
  t.equal(stored?.error, undefined);
});

t.test('an operator marks a placeholder as failed, and says why', async (t) => {
  const uuid = await put({ state: 'creating', type: 'null', os: 'null', expires_at: '2099-01-01T00:00:00.000Z' });
  const error = { code: 'VmNotStopped', message: 'the machine runs', stack: 'at x' };
  t.match(await client.updateImage(uuid, { state: 'failed', error }), { state: 'failed', error });
  t.match(await client.getImage(uuid), { state: 'failed', error, type: undefined, os: undefined });
  t.match(await refusal(server.client({ account: ALICE }).updateImage(uuid, { state: 'active' })), {
    errors: [{ field: 'state', code: 'NotAllowed' }],
  });
});

t.test('no change makes an image vanish by leaving it invalid', async (t) => {
  const uuid = await put({ state: 'creating', type: 'null', os: 'null', files: [FILE] });
  t.match(await refusal(client.activateImage(uuid)), { status: 422, code: unknown, fields: ['type', 'os'] });
  t.equal((await client.getImage(uuid)).state, 'creating');
  await client.deleteImage(uuid);
});

t.test('there is no way back from activated', async (t) => {
  const { image } = await makeImage(client, {}, { owner: ALICE, size: 1 });
  const answer = await send(server.url, { method: 'POST', path: `/images/${image.uuid}?action=deactivate` });
  t.match(answer, { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'action', code: 'Invalid' }] } });
  const none = await send(server.url, { method: 'POST', path: `/images/${image.uuid}` });
  t.match(none, { status: 422, json: { errors: [{ field: 'action', code: 'MissingParameter' }] } });
});
