/** `make deb`: the package on a Debian system, from its installation to the purge. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Test, test } from 'tap';
import packageJson from '../../../package.json' with { type: 'json' };
import { freePort } from '../../helpers/free-port.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { missing } from '../installed.ts';
import { type OwnRoot, ownRoot } from './own-root.ts';

const run = promisify(execFile);
const CONFIG = '/etc/imgapi/imgapi.config.json';
const UNIT = '/usr/lib/systemd/system/imgapi.service';
/** No time is spent on having the system's disk keep what nobody will look for. */
const INSTALL = ['dpkg', '--force-unsafe-io', '--install'] as const;

test('the Debian package installs, runs as a service, keeps all in an upgrade, and nothing after a purge', {
  skip: missing('dpkg-deb') || missing('systemd-analyze'),
}, async (t) => {
  const shared = await temporaryFolder(t, 'imgapi-deb');
  const system = await ownRoot(t, shared);
  if (!system) return t.pass('needs the right to mount');
  await run('make', ['--no-print-directory', '-o', 'node_modules/.installed', 'deb', `TO=${shared}`]);
  const [first, second] = await twoRevisions(shared);
  const well = async (...line: readonly [string, ...string[]]) => {
    const answer = await system.run(...line);
    t.equal(answer.code, 0, line.join(' '), { said: `${answer.stdout}${answer.stderr}` });
    return answer.stdout;
  };

  await well(...INSTALL, first);
  t.equal(await well('dpkg', '--verify', 'imgapi'), '', 'the files are what the package says');
  t.equal(await well('imgapiadm', '--version'), `imgapiadm ${packageJson.version}\n`);
  t.equal(await well('stat', '-c', '%U:%G %a', CONFIG), 'root:imgapi 640\n');
  t.equal(await well('stat', '-c', '%U:%G %a', '/var/lib/imgapi'), 'imgapi:imgapi 700\n');
  const units = [UNIT, UNIT.replace('imgapi.', 'imgapi-cloudapi.')];
  for (const unit of units) await well('systemd-analyze', 'verify', '--man=no', unit);
  t.match(
    await well('ls', '/etc/systemd/system/multi-user.target.wants'),
    /^imgapi\.service$/m,
    'it starts with the system',
  );

  const keys = {
    ...JSON.parse(await well('cat', CONFIG)),
    port: await freePort(),
    adminUuid: '00000000-0000-0000-0000-000000000000',
  };
  writeFileSync(join(shared, 'config.json'), JSON.stringify(keys));
  // As an editor does it that keeps the file's owner.
  await well('sh', '-c', `cat /mnt/config.json >${CONFIG}`);
  const uuid = await withService(t, system, async (url) => {
    t.match(await json(`${url}/ping`), { ping: 'pong', version: packageJson.version });
    const headers = { 'content-type': 'application/json' };
    const fields = { name: 'kept', version: '1', type: 'other', os: 'other', owner: keys.adminUuid };
    const made = await globalThis.fetch(`${url}/images`, { method: 'POST', headers, body: JSON.stringify(fields) });
    const { uuid: id } = (await made.json()) as { uuid: string };
    t.match(
      await well('setpriv', '--reuid=imgapi', '--regid=imgapi', '--init-groups', 'imgapiadm', 'get', id),
      /"kept"/,
    );
    return id;
  });

  await well(...INSTALL, second);
  t.match(await well('dpkg', '--status', 'imgapi'), /^Version: .*-2$/m);
  t.strictSame(JSON.parse(await well('cat', CONFIG)), keys);
  t.equal(await well('stat', '-c', '%U:%G %a', CONFIG), 'root:imgapi 640\n');
  await withService(t, system, async (url) => t.match(await json(`${url}/images/${uuid}`), { name: 'kept' }));

  await well('dpkg', '--remove', 'imgapi');
  await well('ls', CONFIG, '/var/lib/imgapi/imgapi.db');
  t.notMatch(await system.run('ls', '/usr/lib/imgapi'), { code: 0 }, 'nothing is left of the program');
  await well('dpkg', '--purge', 'imgapi');
  for (const gone of ['/etc/imgapi', '/var/lib/imgapi', '/var/cache/imgapi', '/usr/bin/imgapi', UNIT]) {
    t.notMatch(await system.run('ls', gone), { code: 0 }, gone);
  }
  for (const user of ['imgapi', 'imgapi-cloudapi']) {
    t.notMatch(await system.run('getent', 'passwd', user), { code: 0 }, user);
  }
});

/** The package, and one that is newer, as they are called in the system. */
async function twoRevisions(folder: string): Promise<[string, string]> {
  const file = `imgapi_${packageJson.version}-1_${process.arch === 'x64' ? 'amd64' : process.arch}.deb`;
  const newer = join(folder, 'newer');
  await run('dpkg-deb', ['--raw-extract', join(folder, file), newer]);
  const control = join(newer, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^(Version: .*)-1$/m, '$1-2'));
  const second = file.replace('-1_', '-2_');
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', newer, join(folder, second)]);
  return [`/mnt/${basename(file)}`, `/mnt/${second}`];
}

/** Runs the service as its unit says: the line, the user, the folder and the environment. */
async function withService<T>(t: Test, system: OwnRoot, work: (url: string) => Promise<T>): Promise<T> {
  const unit = (await system.run('cat', UNIT)).stdout;
  const values = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const [[user = ''], [folder = ''], [line = '']] = [values('User'), values('WorkingDirectory'), values('ExecStart')];
  const as = [
    'setpriv',
    `--reuid=${user}`,
    `--regid=${values('Group')[0]}`,
    '--init-groups',
    // As a service manager does: nothing of this process's environment.
    'env',
    '--ignore-environment',
    `--chdir=${folder}`,
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  ] as const;
  const child = system.start(...as, ...values('Environment'), ...line.split(' '));
  const said: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const gone = once(child, 'exit');
  if (!child.stdout) throw new Error('no standard output');
  const first = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    gone.then(() => ['it ended']),
  ]);
  const url = /listens on (http:\/\/[^\s,]+)/.exec(String(first[0]))?.[1];
  if (url === undefined) throw new Error(`${line}: ${first[0]}: ${said.join('')}`);
  const result = await work(url);
  child.kill('SIGTERM');
  t.strictSame(await gone, [0, null], 'it ends as it was asked to', { said: said.join('').slice(-2000) });
  return result;
}

async function json(url: string): Promise<unknown> {
  return (await globalThis.fetch(url)).json();
}
