/** An import is killed at each of its steps, and run again: it goes on, and nothing is half there. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'tap';
import { startInProcess } from '../../helpers/imgapi.ts';
import { runImgapiadm } from '../cli/capture.ts';
import { bytesServed, importInto, newPlace, PUBLIC } from './fixtures/import.ts';
import { todaysFolder } from './fixtures/todays-folder.ts';

const POINTS = [
  'import:staged',
  'upload:intent-recorded',
  'upload:placed',
  'upload:recorded',
  'import:placed',
  'import:begun',
  'import:done',
];

async function killedImport(file: string, source: string, fault: string): Promise<NodeJS.Signals | null> {
  const args = ['src/cli/imgapiadm/main.ts', 'import-data', source, '-f', file];
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...env, IMGAPI_FAULT: fault } });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}

for (const point of POINTS) {
  test(`an import that is killed at ${point} goes on when it is run again`, async (t) => {
    const today = await todaysFolder(t);
    const base = today.add({ name: 'base' }, { icon: randomBytes(300) });
    const child = today.add({ name: 'child', origin: base.uuid });
    const place = await newPlace(t);
    t.equal(await killedImport(place.file, today.path, `${point}=kill@2`), 'SIGKILL');

    const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
    const client = server.client({ version: '*' });
    for (const image of await client.listImages()) {
      const made = image.uuid === base.uuid ? base : child;
      t.ok((await bytesServed(server, image.uuid)).bytes.equals(made.bytes), 'what is active is whole');
    }
    t.match(await importInto(place, today.path), { code: 0, report: { problems: [], left: [] } });
    t.match(await client.getImage(base.uuid), { state: 'active', icon: true });
    t.match(await client.getImage(child.uuid), { state: 'active', origin: base.uuid });
    for (const { uuid, bytes } of [base, child]) t.ok((await bytesServed(server, uuid)).bytes.equals(bytes));
    t.match(await importInto(place, today.path), { code: 0, report: { same: 2, images: [] } });
    const reaped = await runImgapiadm(['reap', '--staging', '-u', server.url, '--data-dir', place.dataDir]);
    t.equal(reaped.code, 0, reaped.stderr);
    const { service } = server.imgapi;
    t.strictSame(
      (await service.storages.preferred.sessions()).filter(({ session }) => session.startsWith('import.')),
      [],
    );
  });
}
