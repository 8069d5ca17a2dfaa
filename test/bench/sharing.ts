/**
 * How long it takes to share with a login that somebody holds, and with one that nobody holds: the two must not be
 * told apart. `node test/bench/sharing.ts` prints the table of docs/design.md. Through CloudAPI, as accounts do it.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'undici';
import { ImgapiClient } from '#lib/client/client.ts';
import { parsePrivateKey } from '#lib/signing/keys.ts';
import { signRequest } from '#lib/signing/sign-request.ts';
import { end, startCloudapi, startImgapi } from '../demo/cloud.ts';
import { makePeople, type Person, writeDirectory } from '../demo/people.ts';

const DIRECTORY = new URL('../../build/sharing', import.meta.url).pathname;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 500);
/** Two that somebody holds and two that nobody holds: the difference within a pair is that of the machine. */
const LOGINS = ['bob', 'carol', 'bib', 'carel'] as const;

interface Answer {
  readonly ms: number;
  readonly status: number;
  readonly headers: string;
  readonly shape: string;
}

async function main(): Promise<void> {
  await rm(DIRECTORY, { recursive: true, force: true });
  await mkdir(DIRECTORY, { recursive: true });
  const people = await makePeople(DIRECTORY);
  const accountsFile = await writeDirectory(DIRECTORY, people);
  const common = { name: 'bench-1', dataDir: join(DIRECTORY, 'bench-1'), accountsFile, port: 0 };
  const imgapi = await startImgapi({ ...common, linksPort: 0, linksPublicUrl: 'http://127.0.0.1:1', bandwidth: {} });
  const cloudapi = await startCloudapi({ ...common, imgapiUrl: imgapi.url, datacenters: {} });
  try {
    const client = new ImgapiClient({ url: imgapi.url, account: people.alice.uuid });
    const { uuid } = await client.createImage({ name: 'shared', version: '1.0.0', type: 'other', os: 'other' });
    await client.destroy();
    const answers = await measure(cloudapi.url, people.alice, uuid);
    report(answers);
  } finally {
    await end(cloudapi.child, 'SIGTERM');
    await end(imgapi.child, 'SIGTERM');
  }
}

/** In turns, so that whatever else the machine does hits both alike. */
async function measure(url: string, alice: Person, uuid: string): Promise<Record<string, Answer[]>> {
  const pool = new Pool(url);
  const key = parsePrivateKey(await readFile(join(alice.home, '.ssh/id_ed25519'), 'utf8'));
  const ask = async (action: string, account: string): Promise<Answer> => {
    const path = `/${alice.login}/images/${uuid}?action=${action}`;
    const keyId = `/${alice.login}/keys/${alice.keyId}`;
    const signed = signRequest({ method: 'POST', path, headers: {}, key, keyId, date: new Date(), signed: ['date'] });
    const begin = performance.now();
    const { statusCode, headers, body } = await pool.request({
      method: 'POST',
      path,
      headers: { ...signed, 'content-type': 'application/json', 'accept-version': '~9' },
      body: JSON.stringify({ account }),
    });
    const text = await body.text();
    const ms = performance.now() - begin;
    return { ms, status: statusCode, headers: Object.keys(headers).sort().join(' '), shape: shapeOf(text) };
  };
  const answers: Record<string, Answer[]> = Object.fromEntries(LOGINS.map((login) => [login, []]));
  for (let round = -20; round < ROUNDS; round++) {
    for (const login of round % 2 === 0 ? LOGINS : LOGINS.toReversed()) {
      const answer = await ask('share', login);
      await ask('unshare', login);
      if (round >= 0) answers[login]?.push(answer);
    }
  }
  await pool.destroy();
  return answers;
}

/** The body without what it says of this very login. */
function shapeOf(text: string): string {
  return LOGINS.reduce((shape, login) => shape.replaceAll(`"${login}"`, '"LOGIN"'), text);
}

function report(answers: Readonly<Record<string, readonly Answer[]>>): void {
  const distinct = (pick: (answer: Answer) => unknown): number => new Set(Object.values(answers).flat().map(pick)).size;
  const lines = ['| login | requests | median ms | p90 | p99 |', '| --- | --- | --- | --- | --- |'];
  for (const [login, list] of Object.entries(answers)) {
    const sorted = list.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2);
    lines.push(`| ${login} | ${list.length} | ${at(0.5)} | ${at(0.9)} | ${at(0.99)} |`);
  }
  lines.push(
    '',
    `Different statuses: ${distinct(({ status }) => status)}; sets of headers: ${distinct(({ headers }) => headers)}; bodies: ${distinct(({ shape }) => shape)}.`,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
}

await main();
process.exit();
