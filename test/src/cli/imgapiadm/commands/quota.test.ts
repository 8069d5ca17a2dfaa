import { test } from 'tap';
import { jsonLines } from '../../capture.ts';
import { administered } from '../../data-folder.ts';
import { UUID } from '../../fixtures.ts';
import { json } from '../../playback.ts';

const QUOTA = {
  account: UUID,
  limits: { images: 10, bytes: null },
  own: { images: 10 },
  used: { images: 3, bytes: 4096 },
  reserved: 1024,
};

test('quotas are shown, listed and changed', async (t) => {
  const { run, server } = await administered(t, {
    'GET /quotas': json([QUOTA]),
    [`GET /quotas/${UUID}`]: json(QUOTA),
    [`PUT /quotas/${UUID}`]: json(QUOTA),
    [`DELETE /quotas/${UUID}`]: json(QUOTA),
  });
  const shown = `Account ${UUID}\n  images  3 of 10 (its own)\n  bytes   5.0 KiB of any number (default)\n`;
  t.strictSame(await run('quota', 'show', UUID), { code: 0, stdout: shown, stderr: '' });
  t.match(
    (await run('quota', 'list')).stdout,
    /^ACCOUNT +IMAGES +OF +BYTES +OF +OWN\n\S+ +3 +10 +5\.0 KiB +any +images\n$/,
  );
  t.strictSame(jsonLines((await run('quota', 'list', '-j')).stdout), [QUOTA]);
  t.equal((await run('quota', 'set', UUID, '--images=10', '--bytes=2KiB')).stdout, shown);
  t.strictSame(JSON.parse(server.asked.at(-1)?.body.toString() ?? ''), { images: 10, bytes: 2048 });
  await run('quota', 'set', UUID, '--bytes=none');
  t.strictSame(JSON.parse(server.asked.at(-1)?.body.toString() ?? ''), { bytes: null });
  t.equal((await run('quota', 'unset', UUID)).stdout, shown);
  const { length } = server.asked;
  for (const wrong of [[], ['--images=x'], ['--images=2KiB'], ['--bytes=1.5GiB'], ['--bytes=-1']]) {
    t.not((await run('quota', 'set', UUID, ...wrong)).code, 0, wrong.join());
  }
  t.equal(server.asked.length, length, 'nothing is asked then');
});
