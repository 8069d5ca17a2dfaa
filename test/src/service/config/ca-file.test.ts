/** Files of authorities that a configuration names: what keeps a server from starting is told before. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { readCaFile } from '#src/service/config/ca-file.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { selfSigned } from '../../../helpers/ufds.ts';
import { runImgapiadm } from '../../cli/capture.ts';

const { certificate, key } = selfSigned('ca');
const DAMAGED = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

const WRONG: readonly [what: string, text: string, why: RegExp][] = [
  ['text', 'PEM', /has no certificate in it/],
  ['nothing', '', /has no certificate in it/],
  ['a key', key, /has no certificate in it/],
  ['a damaged certificate', `${certificate}\n${DAMAGED}`, /certificate 2 in it is damaged/],
];

test('a file with certificates is taken, whatever else is in it', async (t) => {
  const file = join(t.testdir(), 'ca.pem');
  const text = `# ours\n${certificate}\n${selfSigned('other').certificate}`;
  await writeFile(file, text);
  t.equal(await readCaFile('s3.caFile', file), text);
});

for (const [what, text, why] of WRONG) {
  test(`a file with ${what} in it is refused by the key that names it`, async (t) => {
    const file = join(t.testdir(), 'ca.pem');
    await writeFile(file, text);
    await t.rejects(readCaFile('s3.caFile', file), { name: 'ConfigError', message: why });
  });
}

test('check-config refuses each file of authorities that would keep the server from starting', async (t) => {
  const dir = t.testdir();
  const caFile = join(dir, 'none.pem');
  await writeFile(caFile, 'PEM');
  await mkdir(join(dir, 'folder'));
  const missing = join(dir, 'missing.pem');
  const keys = {
    ...{ mode: 'dc', datacenterName: 'us-1', adminUuid: '930896af-bf8c-48d4-885c-6573a94b1853' },
    ...{ databaseType: 'postgres', postgres: { tls: true, caFile } },
    ...{ storageTypes: ['s3', 'manta'], s3: { bucket: 'images', region: 'us-1', caFile: missing } },
    manta: {
      url: 'https://manta',
      user: 'admin',
      key: join(dir, 'missing.key'),
      keyId: Array(16).fill('aa').join(':'),
      caFile: join(dir, 'folder'),
    },
    ufds: { url: 'ldaps://ufds', bindDN: 'cn=root', bindPassword: 'secret', caFile },
  };
  const file = join(dir, 'imgapi.json');
  await writeFile(file, JSON.stringify(keys));
  const { code, stdout } = await runImgapiadm(['check-config', '--json', file]);
  t.equal(code, 1);
  const { ok, problems } = JSON.parse(stdout);
  t.equal(ok, false);
  t.match(problems, [
    /^postgres\.caFile: .*none\.pem has no certificate in it/,
    /^s3\.caFile: .*missing\.pem cannot be read: ENOENT/,
    /^manta\.caFile: .*folder cannot be read: EISDIR/,
    /^ufds\.caFile: .*none\.pem has no certificate in it/,
    /^manta\.key: .*missing\.key cannot be read: ENOENT/,
  ]);
  t.equal(problems.length, 5);
  t.match(await runImgapiadm(['check-config', file]), { code: 1, stderr: /postgres\.caFile: .*no certificate/ });

  await writeFile(
    file,
    JSON.stringify({ ...keys, databaseType: 'local', storageTypes: ['local'], accounts: { file } }),
  );
  t.match(await runImgapiadm(['check-config', file]), { code: 0 }, 'what is not used is not read');
  const s3 = { bucket: 'images', region: 'us-1', caFile };
  await t.rejects(startInProcess(t, { storageTypes: ['s3'], s3 }), {
    name: 'ConfigError',
    message: /s3\.caFile: .*none\.pem has no certificate in it/,
  });
});
