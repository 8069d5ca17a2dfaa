import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import sshpk from 'sshpk';
import t, { type Test } from 'tap';
import { MODERN_ALGORITHMS } from '#lib/signing/algorithms.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { makeKey, type TestKey } from '../../../helpers/cloudapi.ts';
import { temporaryFolder } from '../../../helpers/imgapi.ts';
import { PATIENCE_MS } from '../../../helpers/wait.ts';
import { json, playBack } from '../playback.ts';
import { makeUser, runTritonImage, type User } from './home.ts';

const execute = promisify(execFile);
const KEYS = (['rsa', 'ecdsa', 'ed25519'] as const).map(makeKey);
const hasAgent = await execute('ssh-agent', ['-k']).then(
  () => true,
  (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
);

/** Lists images; answers what of the request a server verifies with that key. */
async function signedCall(
  t: Test,
  user: User,
  env: Record<string, string | undefined> = {},
  args: readonly string[] = [],
) {
  const server = await playBack(t, { 'GET /alice': json({ id: 'x' }), 'GET /alice/images': json([]) });
  const ran = await runTritonImage(['ls', ...args], { env: { ...user.env(server.url), ...env } });
  const asked = server.asked.find(({ path }) => path.startsWith('/alice/images'));
  if (!asked) return { ran, verified: undefined };
  const verified = await verifyRequest(asked, {
    keysOf: async (keyId) => {
      t.equal(keyId, `/alice/keys/${user.key.key.publicKey.fingerprints.md5}`);
      return [user.key.key.publicKey];
    },
    algorithms: MODERN_ALGORITHMS,
    required: ['(request-target)', 'host', 'date'],
  });
  return { ran, verified };
}

for (const key of KEYS) {
  for (const hash of ['md5', 'sha256'] as const) {
    t.test(
      `an ${key.type} key in a file is found by its ${hash} fingerprint and signs the whole request line`,
      async (t) => {
        const user = await makeUser(t, 'alice', key);
        const { ran, verified } = await signedCall(t, user, { TRITON_KEY_ID: key.key.publicKey.fingerprints[hash] });
        t.match(ran, { code: 0, stderr: '' });
        t.ok(verified);
      },
    );
  }
}

t.test('a key that is nowhere is named, with where it was looked for', async (t) => {
  const user = await makeUser(t, 'alice', makeKey('ed25519'), false);
  const { ran } = await signedCall(t, user);
  t.match(ran, {
    code: 1,
    stderr: /error \(KeyNotFound\): there is no private key with the fingerprint [0-9a-f:]{47}\n/,
  });
  t.match(ran.stderr, `${user.home}/.ssh: it is not there\n`);
  t.match(ran.stderr, 'SSH agent: there is none (SSH_AUTH_SOCK is not set)\n');
});

t.test('what is no fingerprint is refused', async (t) => {
  const user = await makeUser(t);
  const { ran } = await signedCall(t, user, {}, ['-k', 'my-key']);
  t.match(ran, { code: 1, stderr: /error \(KeyId\): the key is "my-key"; it must be a fingerprint/ });
});

/** OpenSSH's own form, which its tools take of every type. */
async function writeOpenssh(key: TestKey, file: string): Promise<void> {
  await writeFile(file, sshpk.parsePrivateKey(key.pem, 'pem').toString('openssh'), { mode: 0o600 });
}

const skip = hasAgent ? {} : { skip: 'the tools of OpenSSH are not installed' };

t.test('an encrypted key that no agent holds is named, with what to do', skip, async (t) => {
  const user = await makeUser(t);
  const file = join(user.home, '.ssh/id_ed25519');
  await writeOpenssh(user.key, file);
  await execute('ssh-keygen', ['-p', '-q', '-P', '', '-N', 'secret', '-f', file]);
  const { ran } = await signedCall(t, user);
  t.match(ran, { code: 1, stdout: '' });
  t.match(ran.stderr, `error (KeyLocked): the private key ${file} is encrypted, and the SSH agent does not hold it\n`);
  t.match(ran.stderr, `ssh-add ${file}\n`);
});

t.test(
  'an encrypted key is opened by a variable, a file, or what is typed at a terminal and not shown',
  skip,
  async (t) => {
    const user = await makeUser(t);
    const file = join(user.home, '.ssh/id_ed25519');
    await writeOpenssh(user.key, file);
    await execute('ssh-keygen', ['-p', '-q', '-P', '', '-N', 'open sesame', '-f', file]);
    const TRITON_PASSPHRASE_FILE = join(user.home, 'passphrase');
    await writeFile(TRITON_PASSPHRASE_FILE, 'open sesame\n', { mode: 0o600 });
    for (const env of [{ TRITON_PASSPHRASE: 'open sesame' }, { TRITON_PASSPHRASE_FILE }]) {
      const { ran, verified } = await signedCall(t, user, env);
      t.match(ran, { code: 0, stderr: '' });
      t.ok(verified);
    }
    t.match((await signedCall(t, user, { TRITON_PASSPHRASE: 'open' })).ran, {
      code: 1,
      stderr: `error (KeyPassphrase): the passphrase in TRITON_PASSPHRASE does not open the private key ${file}\n`,
    });
    t.match(
      (await signedCall(t, user, { TRITON_PASSPHRASE_FILE: '/nosuch' })).ran.stderr,
      /\(PassphraseFile\): .*\/nosuch/,
    );

    const server = await playBack(t, { 'GET /alice': json({ id: 'x' }), 'GET /alice/images': json([]) });
    const env = { PATH: process.env['PATH'], SHELL: '/bin/sh', ...user.env(server.url) };
    const command = `'${process.execPath}' src/cli/triton-image/main.ts ls`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { env, stdio: 'pipe', timeout: PATIENCE_MS });
    let shown = '';
    terminal.stdout.on('data', (chunk: Buffer) => {
      // The first answer is wrong.
      if (chunk.includes('Passphrase of')) terminal.stdin.write(shown === '' ? 'open\r' : 'open sesame\r');
      shown += chunk;
    });
    await once(terminal, 'close');
    t.match(shown, `Passphrase of ${file}: \r\nPassphrase of ${file}: \r\n`);
    t.match(shown, 'SHORTID');
    t.notMatch(shown, 'open');
  },
);

t.test('keys that only the SSH agent holds sign', skip, async (t) => {
  const folder = await temporaryFolder(t, 'agent');
  const SSH_AUTH_SOCK = join(folder, 'socket');
  const agent = spawn('ssh-agent', ['-D', '-a', SSH_AUTH_SOCK], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(agent, 'exit');
  t.teardown(async () => {
    agent.kill();
    await gone;
  });
  await once(createInterface({ input: agent.stdout }), 'line');
  const add = async (key: TestKey): Promise<void> => {
    const file = join(folder, key.type);
    await writeOpenssh(key, file);
    await execute('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK } });
  };
  for (const key of KEYS) {
    await add(key);
    const user = await makeUser(t, 'alice', key, false);
    const { ran, verified } = await signedCall(t, user, { SSH_AUTH_SOCK });
    t.match(ran, { code: 0, stderr: '' }, key.type);
    t.ok(verified, key.type);
  }
  const other = await makeUser(t, 'alice', makeKey('ed25519'), false);
  t.match((await signedCall(t, other, { SSH_AUTH_SOCK })).ran.stderr, 'SSH agent: it is not there\n');

  // The connection to the agent must not keep the process.
  const [key = makeKey('rsa')] = KEYS;
  const user = await makeUser(t, 'alice', key, false);
  const server = await playBack(t, { 'GET /alice': json({ id: 'x' }), 'GET /alice/images': json([]) });
  const env = { PATH: process.env['PATH'], ...user.env(server.url), SSH_AUTH_SOCK };
  const { stdout } = await execute(process.execPath, ['src/cli/triton-image/main.ts', 'ls'], {
    env,
    timeout: PATIENCE_MS,
  });
  t.match(stdout, /^SHORTID /);
});

t.test('a missing ~/.ssh does not hide what the agent holds, nor an agent that is gone a file', async (t) => {
  const user = await makeUser(t);
  const { ran, verified } = await signedCall(t, user, { SSH_AUTH_SOCK: join(user.home, 'gone') });
  t.match(ran, { code: 0 });
  t.ok(verified);
  const nobody = await makeUser(t, 'alice', makeKey('ed25519'), false);
  const env = { HOME: join(nobody.home, 'nowhere'), SSH_AUTH_SOCK: join(nobody.home, 'gone') };
  const { stderr } = (await signedCall(t, nobody, env)).ran;
  t.match(stderr, /nowhere\/\.ssh: ENOENT/);
  t.match(stderr, /SSH agent: .*(ENOENT|gone)/);
});
