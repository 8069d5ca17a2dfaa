/** Large files whose pieces come from every linked datacenter that has the image. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { type Lie, startLyingDatacenter } from '../../../helpers/lying-datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { copyPair, ended, transferOf } from '../fixture.ts';

const MIB = 1024 * 1024;
const PIECE = 8 * MIB;
const SIZE = 6 * PIECE;
const FILE = /\/file\?/;
const SLOW = { kind: 'line', rtt: 1, bytesPerSecond: 4 * MIB } as const;

interface ThirdOptions {
  readonly copies?: object;
  readonly owner?: string;
  /** Of the third datacenter; default: the same. */
  readonly bytes?: Buffer;
  readonly lies?: readonly Lie[];
}

/** A copy from a source behind a slow line, and a third datacenter, linked as well, that has an image of the same UUID. */
async function withThird(t: Test, { copies = {}, owner = ALICE, bytes, lies = [] }: ThirdOptions = {}) {
  const pair = await copyPair(t, { stallSeconds: 60, leaseSeconds: 60, ...copies });
  const third = await startLyingDatacenter(t, 'eu-1', { keys: { pulls: { redirect: false } } });
  const { token, url } = await createLinkToken(third.service);
  await linkDatacenter(pair.service, { name: third.name, url, token });
  const { record, sha1, bytes: right } = await putImage(pair.source, ALICE, {}, randomBytes(SIZE));
  await putImage(third, owner, { uuid: record.uuid }, bytes ?? right);
  third.lies = lies;
  const { uuid: order } = await pair.copy(record.uuid);
  pair.network.trouble = SLOW;
  const before = pair.network.received;
  return {
    ...{ pair, third, order, uuid: record.uuid },
    came: () => pair.network.received - before,
    asked: () => third.asked.filter((one) => one.includes(record.uuid)),
    assertWhole: async () => {
      const local = pair.service.storages.named('local');
      t.equal((await local.hash(imageObjectPath(record.uuid, 'file0'))).sha1, sha1);
    },
  };
}

test('pieces come from all datacenters that have the image, most of them from the faster one', async (t) => {
  const { pair, order, came, assertWhole } = await withThird(t);
  pair.engine();
  t.match(await ended(pair.service, order), {
    state: 'succeeded',
    members: [{ result: { attempt: 1, note: 'pieces came from datacenter "eu-1" as well' } }],
  });
  t.ok(came() < SIZE * 0.75, `${came()} of ${SIZE} bytes came from the ordered source`);
  await assertWhole();
});

test('when the ordered source dies, the copy goes on from another one', async (t) => {
  const { pair, third, order, uuid, assertWhole } = await withThird(t);
  const { port } = third.service.config.links;
  const died = Promise.withResolvers<void>();
  const answer: Lie['answer'] = ({ method, url, headers }, response) => {
    void died.promise.then(() => {
      const passed = request(`http://127.0.0.1:${port}${url}`, { method, headers }, (honest) => {
        response.writeHead(honest.statusCode ?? 500, honest.headers);
        honest.pipe(response);
      });
      passed.end();
    });
  };
  third.lies = [{ path: FILE, answer }];
  pair.engine();
  await waitFor('bytes', async () => ((await transferOf(pair.service, uuid))?.bytes ?? 0) > PIECE);
  pair.network.trouble = { kind: 'refuse' };
  pair.network.cutAll();
  died.resolve();
  t.match(await ended(pair.service, order), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  await assertWhole();
});

test('a copy that begins while the ordered source is dead comes from another one', async (t) => {
  const { pair, order, came, assertWhole } = await withThird(t);
  pair.network.trouble = { kind: 'refuse' };
  pair.network.cutAll();
  pair.engine();
  t.match(await ended(pair.service, order), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  t.equal(came(), 0);
  await assertWhole();
});

test('a datacenter that lies costs its pieces, and is not asked again', async (t) => {
  const lies: Lie[] = [
    {
      path: FILE,
      answer: (incoming, response) => {
        const [, start, end] = /bytes=(\d+)-(\d+)/.exec(String(incoming.headers.range)) ?? [];
        const length = Number(end) - Number(start) + 1;
        response.writeHead(206, {
          'content-range': `bytes ${start}-${end}/${SIZE}`,
          'content-length': length,
          'content-type': 'application/octet-stream',
        });
        response.end(randomBytes(length));
      },
    },
  ];
  const { pair, order, asked, assertWhole } = await withThird(t, { lies });
  pair.network.trouble = { kind: 'none' };
  pair.engine();
  t.match(await ended(pair.service, order), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  const requests = asked().filter((one) => FILE.test(one)).length;
  t.ok(requests > 0 && requests <= 10, `${requests} requests for its bytes`);
  await assertWhole();
});

test('only what is the same image of the same owner is a source, and only where the configuration allows it', async (t) => {
  const cases: readonly [string, ThirdOptions, boolean][] = [
    ['the image of somebody else', { owner: BOB }, true],
    ['other bytes', { bytes: randomBytes(SIZE) }, true],
    ['a datacenter that is not listed', { copies: { holders: ['elsewhere'] } }, false],
    ['a link with a limit', { copies: { bandwidth: { 'eu-1': 1_000_000_000 } } }, false],
  ];
  for (const [what, options, isAsked] of cases) {
    const { pair, order, asked } = await withThird(t, options);
    pair.network.trouble = { kind: 'none' };
    const engine = pair.engine();
    t.match(await ended(pair.service, order), { state: 'succeeded' }, what);
    t.same(
      asked().filter((one) => /\/file/.test(one)),
      [],
      what,
    );
    t.equal(asked().length > 0, isAsked, what);
    await engine.stop();
  }
});
