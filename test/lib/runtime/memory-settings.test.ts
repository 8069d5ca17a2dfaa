/** The server's memory is managed alike, whoever starts it and however. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { type Spawned, spawnImgapi } from '../../helpers/imgapi.ts';

function told({ process: { pid } }: Spawned): { readonly environment: string[]; readonly options: string[] } {
  const list = (file: string): string[] => readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\0');
  return { environment: list('environ'), options: list('cmdline') };
}

test('a server has few arenas and a tight heap, and is still the process that was started', async (t) => {
  if (process.platform !== 'linux') return;
  const server = await spawnImgapi(t, {}, { bare: true });
  const { environment, options } = told(server);
  for (const name of ['MALLOC_ARENA_MAX=2', 'MALLOC_MMAP_THRESHOLD_=131072', 'MALLOC_TRIM_THRESHOLD_=1048576']) {
    t.ok(environment.includes(name), name);
  }
  t.ok(options.includes('--max-semi-space-size=8'));
  t.ok(options.includes('--heap-growing-percent=50'));
  t.match(await server.client().ping(), { ping: 'pong' });
  t.equal(await server.stop(), 0, 'signals reach it');
});

test('what was chosen by whoever started it is left, and the rest is set', async (t) => {
  if (process.platform !== 'linux') return;
  process.env['MALLOC_ARENA_MAX'] = '7';
  t.teardown(() => delete process.env['MALLOC_ARENA_MAX']);
  const server = await spawnImgapi(t, {}, { bare: true, nodeOptions: ['--max_semi_space_size=3'] });
  const { environment, options } = told(server);
  t.ok(environment.includes('MALLOC_ARENA_MAX=7'));
  t.ok(environment.includes('MALLOC_MMAP_THRESHOLD_=131072'));
  t.ok(options.includes('--max_semi_space_size=3'));
  t.notOk(options.includes('--max-semi-space-size=8'));
  t.ok(options.includes('--heap-growing-percent=50'));
});

/** Tells at the end whether that part of Node was loaded which takes types out of sources. */
const TELLS = `process.on('exit', () => {
  process.stderr.write(String(process.moduleLoadList.includes('NativeModule internal/deps/amaro/dist/index')));
});`;

test('the process that a server becomes takes even its first file from the cache of compiled modules', async (t) => {
  const { NODE_COMPILE_CACHE: _cache, NODE_OPTIONS: _options, ...env } = process.env;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(TELLS)}`, 'src/main.ts', '--version'];
  for (const main of ['src/main.ts', 'src/cloudapi/main.ts']) {
    const start = () => spawnSync(process.execPath, args.with(2, main), { encoding: 'utf8', env });
    t.equal(start().status, 0, 'it fills the cache');
    t.match(start(), { status: 0, stderr: 'false' });
  }
});
