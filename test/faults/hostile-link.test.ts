/** A linked datacenter that lies about its pull links: the copy finds another way, or fails with the reason. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { startSite } from '../helpers/cloud.ts';
import { putImage } from '../helpers/datacenter.ts';
import { assertSound } from '../helpers/invariants.ts';
import { type Lie, linkFrom, startLyingDatacenter } from '../helpers/lying-datacenter.ts';
import { sendJson } from '../helpers/simple-source.ts';

test('A linked datacenter that lies about pull links', async (t) => {
  const west = await startSite(t, 'us-west');
  const liar = await startLyingDatacenter(t, 'us-liar');
  await linkFrom(west, liar);

  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const pull = (fields: object) => ({
    url: `${liar.url}/pulls/x`,
    expires,
    reqid: randomUUID(),
    direct: false,
    ...fields,
  });
  const PULL_URL = /\/pull-url\?/;
  const BEHIND_IT = /^\/pulls\//;
  type Facts = { readonly sha1: string; readonly size: number };
  const answers =
    (fields: (facts: Facts) => object) => (facts: Facts) => (_: IncomingMessage, response: ServerResponse) =>
      sendJson(response, pull({ ...facts, ...fields(facts) }));
  const served: Readonly<Record<string, (facts: Facts) => Lie['answer']>> = {
    'leads to our own port': answers(() => ({ url: `${west.server.url}/images` })),
    'leads to the metadata of a cloud': answers(() => ({ url: 'http://169.254.169.254/latest/meta-data' })),
    'leads to a form of loopback': answers(() => ({ url: 'http://[::ffff:127.0.0.1]:80/pulls/x' })),
    'has a password in it': answers(() => ({ url: liar.url.replace('://', '://a:b@') })),
    'is of another scheme': answers(() => ({ url: 'file:///etc/passwd' })),
    'is named by a path': answers(() => ({ reqid: '../../link/unlink' })),
    'is no answer at all': () => (_, response) => sendJson(response, [1]),
    'is refused for now': () => (_, response) => sendJson(response, { code: 'TooManyRequests', message: 'later' }, 429),
    'drips for ever': () => (_, response) => {
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    },
    'never ends': () => (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(64 * 1024)));
      };
      response.on('drain', more);
      more();
    },
  };
  for (const [what, lie] of Object.entries(served)) {
    await t.test(`one that ${what}: the file comes by the link itself`, async (t) => {
      const { record } = await putImage(liar, ALICE);
      const [{ sha1, size } = { sha1: '', size: 0 }] = record.files ?? [];
      liar.lies = [{ path: PULL_URL, answer: lie({ sha1, size }) }];
      t.match(await west.copy(record.uuid, liar.name), { state: 'succeeded' });
      liar.lies = [];
      await assertSound(t, west);
    });
  }

  await t.test('one of another file: the copy fails for that reason, and can be ordered again', async (t) => {
    const { record } = await putImage(liar, ALICE);
    liar.lies = [{ path: PULL_URL, answer: answers(() => ({}))({ sha1: 'a'.repeat(40), size: 5 }) }];
    const before = liar.asked.length;
    const status = await west.copy(record.uuid, liar.name);
    t.match(status, { state: /succeeded|failed/ });
    t.notOk(
      liar.asked.slice(before).some((asked) => asked.includes('/pulls/x')),
      'it was not fetched',
    );
    liar.lies = [];
    t.match(await west.copy(record.uuid, liar.name), { state: 'succeeded' });
    await assertSound(t, west);
  });

  const behind: Readonly<Record<string, Lie['answer']>> = {
    'redirects to us': (_, response) => {
      response.writeHead(302, { location: `${west.server.url}/images` });
      response.end();
    },
    'sends bytes without end': (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(randomBytes(64 * 1024)));
      };
      response.on('drain', more);
      more();
    },
    'sends another range': (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 7-16/17', 'content-length': 10 });
      response.end('0123456789');
    },
    'switches protocols': (_, { socket }) =>
      void socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  };
  for (const [what, answer] of Object.entries(behind)) {
    await t.test(`one behind which it ${what}: the copy ends all the same`, async (t) => {
      const { record } = await putImage(liar, ALICE);
      liar.lies = [{ path: BEHIND_IT, answer }];
      await west.order(record.uuid, liar.name);
      const status = await west.reaches(
        record.uuid,
        ({ finished_at, images }) => finished_at !== undefined || images[0]?.error !== undefined,
      );
      liar.lies = [];
      t.match(status, { state: /running|queued|succeeded|failed/ });
      const ended = await west.ended(record.uuid);
      if (ended.state !== 'succeeded') t.match(await west.copy(record.uuid, liar.name), { state: 'succeeded' });
      await assertSound(t, west);
    });
  }

  t.equal(west.server.process.exitCode, null, 'and through all of it the server lives');
});
