import { test } from 'tap';
import { administered } from '../../data-folder.ts';
import { json } from '../../playback.ts';

const TOKEN = 'x'.repeat(43);
const EXPIRES = '2017-10-17T21:10:00.000Z';

test('the address that logs a browser in stands alone on standard output', async (t) => {
  const { server, run } = await administered(t, { 'POST /console/tokens': json({ token: TOKEN, expires: EXPIRES }) });
  const address = `${server.url}/console/#/login/${TOKEN}`;
  t.strictSame(await run('console-login'), {
    code: 0,
    stdout: `${address}\n`,
    stderr: `It works once, until ${EXPIRES}.\n`,
  });
  t.equal(server.asked[0]?.headers.authorization, 'Bearer s3cret');
  t.strictSame(JSON.parse((await run('console-login', '--json')).stdout), { url: address, expires: EXPIRES });
});

test('it is the address by which clients reach the server, where the server knows it', async (t) => {
  const url = 'https://images.example.com/imgapi/';
  const { run } = await administered(t, { 'POST /console/tokens': json({ token: TOKEN, expires: EXPIRES, url }) });
  const { stdout } = await run('console-login');
  t.equal(stdout, `https://images.example.com/imgapi/console/#/login/${TOKEN}\n`);
});
