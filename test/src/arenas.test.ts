/** The server's memory is kept in few arenas, whoever starts it and however. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { spawnImgapi } from '../helpers/imgapi.ts';

test('a server has few arenas, and is still the process that was started', async (t) => {
  if (process.platform !== 'linux') return;
  const server = await spawnImgapi(t);
  const { pid } = server.process;
  const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  t.ok(environment.includes('MALLOC_ARENA_MAX=2'));
  t.match(await server.client().ping(), { ping: 'pong' });
  t.equal(await server.stop(), 0, 'signals reach it');
});

test('what was chosen by whoever started it is left', async (t) => {
  if (process.platform !== 'linux') return;
  process.env['MALLOC_ARENA_MAX'] = '7';
  t.teardown(() => delete process.env['MALLOC_ARENA_MAX']);
  const server = await spawnImgapi(t);
  const environment = readFileSync(`/proc/${server.process.pid}/environ`, 'latin1').split('\0');
  t.ok(environment.includes('MALLOC_ARENA_MAX=7'));
});
