/** What happened to an image can be read by its owner and by operators, and by nobody else. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import type { EventKind } from '#lib/api/event-kinds.ts';
import type { ImageEvent } from '#lib/api/schemas/event.ts';
import type { Write } from '#lib/documents/store.ts';
import { EVENTS, eventWrite } from '#src/images/events/event.ts';
import { expireEvents } from '#src/images/events/expire-events.ts';
import { listEvents } from '#src/images/events/list-events.ts';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage, sha1Of } from '../../../helpers/images.ts';
import { type InProcess, startInProcess } from '../../../helpers/imgapi.ts';
import { ICON } from '../../imgapi/fixtures/records.ts';

const NONE = new AbortController().signal;

/** Oldest first. */
async function toldOf(server: InProcess, image: string, account?: string): Promise<ImageEvent[]> {
  const client = server.client(account === undefined ? {} : { account });
  return (await client.listImageEvents(image)).toReversed() as ImageEvent[];
}

function kindsOf(events: readonly ImageEvent[]): EventKind[] {
  return events.map(({ kind }) => kind);
}

test('All that an owner does to an image is told, in order, with who did it and the request', async (t) => {
  const server = await startInProcess(t);
  const alice = server.client({ account: ALICE });
  const { image, bytes } = await makeImage(alice);
  const { uuid } = image;
  await alice.addImageIcon(uuid, ICON, 'image/png');
  await alice.updateImage(uuid, { description: 'a secret of mine', tags: { a: 'b' } });
  await alice.addImageAcl(uuid, [BOB, 'carol']);
  await alice.addImageAcl(uuid, [BOB]);
  await server.client().disableImage(uuid);
  await alice.removeImageAcl(uuid, ['carol']);
  await alice.deleteImageIcon(uuid);
  const events = await toldOf(server, uuid, ALICE);
  t.strictSame(
    events.map(({ kind, details }) => [kind, details]),
    [
      ['create', {}],
      ['upload', { file: 'file', sha1: sha1Of(bytes), size: bytes.length }],
      ['activate', {}],
      ['upload', { file: 'icon', sha1: sha1Of(ICON), size: ICON.length }],
      ['update', { fields: ['description', 'tags'] }],
      ['share', { entries: [BOB, 'carol'] }],
      ['update', { fields: ['disabled'] }],
      ['unshare', { entries: ['carol'] }],
      ['update', { fields: ['icon'] }],
    ],
  );
  for (const { actor, kind, details, request_id: id, image: of } of events) {
    const isOperators = details.fields?.[0] === 'disabled';
    const expected = isOperators ? { kind: 'operator' } : { kind: 'account', account: ALICE, login: 'alice' };
    t.strictSame(actor, expected, kind);
    t.match(id, /./);
    t.equal(of, uuid);
  }
  t.strictSame(
    events.map(({ id }) => id),
    events.map(({ id }) => id).toSorted(),
    'their IDs have the order of time',
  );
  t.notMatch(JSON.stringify(events), /secret/);
});

test('An image that was created with shares says so at once', async (t) => {
  const server = await startInProcess(t);
  const { uuid } = await server.client({ account: ALICE }).createImage({ ...MANIFEST, acl: [BOB] });
  const events = await toldOf(server, uuid);
  t.strictSame(kindsOf(events), ['create', 'share']);
  t.strictSame(events[1]?.details, { entries: [BOB] });
});

test('To sharees, strangers and whoever names an image that is not there, the events are not there', async (t) => {
  const server = await startInProcess(t);
  const { image } = await makeImage(server.client({ account: ALICE }), { acl: [BOB], public: true });
  for (const account of [BOB, CAROL]) {
    await t.rejects(toldOf(server, image.uuid, account), { code: 'ResourceNotFound' });
  }
  await t.rejects(toldOf(server, randomUUID(), ALICE), { code: 'ResourceNotFound' });
  await t.rejects(toldOf(server, randomUUID()), { code: 'ResourceNotFound' });
});

test('An owner is told that a sharee left, and nothing of the clone that it made', async (t) => {
  const server = await startInProcess(t);
  const bob = server.client({ account: BOB });
  const { image } = await makeImage(server.client({ account: ALICE }), { acl: [BOB] });
  const clone = await bob.cloneImage(image.uuid);
  await bob.removeImageAcl(image.uuid, [BOB]);
  const events = await toldOf(server, image.uuid, ALICE);
  t.strictSame(kindsOf(events), ['create', 'share', 'upload', 'activate', 'unshare']);
  t.strictSame(events.at(-1)?.actor, { kind: 'account', account: BOB, login: 'bob' });
  const [created] = await toldOf(server, clone.uuid, BOB);
  t.match(created, { kind: 'create', details: { from: image.uuid }, actor: { account: BOB } });
  const all = (await bob.listEvents()) as ImageEvent[];
  t.strictSame(kindsOf(all), ['create'], 'what happened to its own images');
});

test('A new owner reads of nothing that happened before', async (t) => {
  const server = await startInProcess(t);
  const alice = server.client({ account: ALICE });
  const { image } = await makeImage(alice, { acl: [CAROL] });
  await alice.updateImage(image.uuid, { owner: BOB });
  const events = await toldOf(server, image.uuid, BOB);
  t.strictSame(
    events.map(({ kind, details }) => [kind, details]),
    [['update', { fields: ['owner'] }]],
  );
  const before = await toldOf(server, image.uuid, ALICE);
  t.strictSame(kindsOf(before), ['create', 'share', 'upload', 'activate'], 'nor the earlier one what becomes of it');
  t.equal((await toldOf(server, image.uuid)).length, 5, 'operators read all');
  await server.client({ account: BOB }).deleteImage(image.uuid);
  t.strictSame(await toldOf(server, image.uuid, ALICE), before, 'not even that it was deleted');
  t.strictSame(kindsOf(await toldOf(server, image.uuid, BOB)), ['update', 'delete']);
});

test('Whom the image was shared with before it was given away is not told to its new owner', async (t) => {
  const server = await startInProcess(t);
  const alice = server.client({ account: ALICE });
  const { image: base } = await makeImage(alice, { public: true });
  const { image } = await makeImage(alice, { acl: [CAROL], origin: base.uuid });
  await alice.updateImage(image.uuid, { owner: BOB });
  const kinds = (await toldOf(server, image.uuid, BOB)).map(({ kind }) => kind);
  t.strictSame(kinds, ['update']);
  const all = (await toldOf(server, image.uuid)).map(({ kind }) => kind);
  t.ok(all.includes('unshare'), 'operators read that it ended');
});

test('Of a deleted image, whoever owned it and operators still read; to all others it is as one that never was', async (t) => {
  for (const keepDeletedSeconds of [0, 3600]) {
    const server = await startInProcess(t, { images: { keepDeletedSeconds } });
    const alice = server.client({ account: ALICE });
    const { image } = await makeImage(alice, { acl: [BOB], public: true });
    await alice.deleteImage(image.uuid);
    const told = await toldOf(server, image.uuid, ALICE);
    t.strictSame(kindsOf(told), ['create', 'share', 'upload', 'activate', 'delete']);
    t.strictSame(await toldOf(server, image.uuid), told);
    const ofKind = { kind: 'pull' } as const;
    for (const client of [alice, server.client()]) {
      t.strictSame(await client.listImageEvents(image.uuid, ofKind), [], 'there were none of this kind');
    }
    const never = randomUUID();
    for (const account of [BOB, CAROL]) {
      for (const more of ['', '&kind=delete', '&kind=pull', '&limit=1', '&marker=x', `&marker=${told.at(-1)?.id}`]) {
        const [gone, none] = [await answerFor(image.uuid), await answerFor(never)];
        t.strictSame(gone, { ...none, body: none.body.replaceAll(never, image.uuid) }, more);
        t.equal(none.status, more.endsWith('=x') ? 422 : 404, more);
        async function answerFor(uuid: string) {
          const url = `${server.url}/images/${uuid}/events?account=${account}${more}`;
          const answer = await globalThis.fetch(url, { headers: { 'accept-version': '~3' } });
          return { status: answer.status, body: await answer.text(), link: answer.headers.get('link') };
        }
      }
    }
  }
});

test('An owner whose events have expired reads an empty list while the image is there, and then nothing', async (t) => {
  const server = await startInProcess(t);
  const { store } = server.imgapi.service;
  const alice = server.client({ account: ALICE });
  const { image } = await makeImage(alice);
  const expire = async () => {
    const all = await store.find(EVENTS, {});
    await store.batch(all.map(({ key }) => ({ op: 'del', bucket: EVENTS, key })));
  };
  await expire();
  t.strictSame(await toldOf(server, image.uuid, ALICE), []);
  await alice.deleteImage(image.uuid);
  await expire();
  for (const account of [ALICE, undefined]) {
    await t.rejects(toldOf(server, image.uuid, account), { code: 'ResourceNotFound' });
  }
});

test('An image that gets another UUID is told of under both', async (t) => {
  const server = await startInProcess(t);
  const { image } = await makeImage(server.client(), {}, { owner: ALICE, activate: false });
  const to = randomUUID();
  await server.client().updateImage(image.uuid, { uuid: to });
  const details = { fields: ['uuid'] };
  t.match((await toldOf(server, image.uuid)).at(-1), { kind: 'update', details: { ...details, to } });
  t.match(await toldOf(server, to, ALICE), [{ kind: 'update', details: { ...details, from: image.uuid } }]);
});

test('What changes nothing that can be seen is no event', async (t) => {
  const server = await startInProcess(t);
  const alice = server.client({ account: ALICE });
  const { image } = await makeImage(alice, { description: 'same' });
  const before = (await toldOf(server, image.uuid)).length;
  await alice.updateImage(image.uuid, { description: 'same' });
  await t.rejects(alice.updateImage(image.uuid, { name: '' }));
  t.equal((await toldOf(server, image.uuid)).length, before);
});

test('A list is read page by page, each event once, and can be narrowed', async (t) => {
  const server = await startInProcess(t);
  const { service } = server.imgapi;
  const image = randomUUID();
  const now = service.store.now();
  // Many in one millisecond: pages must not lose or repeat any.
  await service.store.batch(
    Array.from({ length: 25 }, (_, i) => written(image, now - Math.floor(i / 10), i % 2 ? 'share' : 'update')),
  );
  const all = await server.client().listImageEvents(image);
  t.equal(all.length, 25);
  const paged: string[] = [];
  let path: string | undefined = `/images/${image}/events?limit=4`;
  for (let pages = 0; path !== undefined && pages < 10; pages++) {
    const answer: Response = await globalThis.fetch(server.url + path, { headers: { 'accept-version': '~3' } });
    t.equal(answer.status, 200);
    paged.push(...((await answer.json()) as ImageEvent[]).map(({ id }) => id));
    const query: string | undefined = /^<(\?.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    path = query && `/images/${image}/events${query}`;
  }
  t.strictSame(
    paged,
    all.map(({ id }) => id),
  );
  t.equal((await server.client().listImageEvents(image, { kind: 'share' })).length, 12);
  const since = new Date(now).toISOString();
  t.equal((await server.client().listEvents({ since })).length, 10);
  t.strictSame((await server.client().listEvents({ account: CAROL, limit: 1 })).length, 1);
  for (const bad of ['since=yesterday', 'kind=x', 'limit=0', 'marker=x', `marker=${randomUUID()}`]) {
    const answer = await globalThis.fetch(`${server.url}/events?${bad}`, { headers: { 'accept-version': '~3' } });
    t.equal(answer.status, 422, bad);
  }
});

test('Events are kept for as many days as are configured, and those before go in batches', async (t) => {
  const server = await startInProcess(t, { events: { keepDays: 2 } });
  const { service } = server.imgapi;
  const image = randomUUID();
  const day = 24 * 60 * 60 * 1000;
  const old = service.store.now() - 2 * day - 1000;
  await service.store.batch(Array.from({ length: 700 }, (_, i) => written(image, old - i, 'update')));
  await service.store.batch([written(image, service.store.now() - day, 'update')]);
  // The task may be at it as well.
  t.ok((await expireEvents(service, NONE)) <= 700);
  t.equal((await listEvents(service, { image, limit: 10 }, NONE)).events.length, 1);
  t.equal(await expireEvents(service, NONE), 0);
  t.equal(await service.store.count(EVENTS), 1);
});

test('What is refused leaves no event', async (t) => {
  const server = await startInProcess(t);
  const { store } = server.imgapi.service;
  const { uuid, owner } = (await makeImage(server.client(), {}, { owner: ALICE })).image;
  const before = await store.count(EVENTS);
  const again = server
    .client()
    .adminImportImage({ ...MANIFEST, v: 2, uuid, owner, published_at: '2020-01-01T00:00:00Z' });
  await t.rejects(again, { code: 'ImageUuidAlreadyExists' });
  await t.rejects(server.client({ account: BOB }).updateImage(uuid, { description: 'x' }));
  await t.rejects(server.client({ account: ALICE }).activateImage(uuid), { code: 'ImageAlreadyActivated' });
  t.equal(await store.count(EVENTS), before);
});

function written(image: string, time: number, kind: EventKind): Write {
  return eventWrite(time, { image, kind, owner: CAROL, details: {}, account: CAROL });
}
