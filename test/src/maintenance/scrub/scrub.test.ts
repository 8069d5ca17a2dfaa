/** Files that rot are found, kept from readers, and fetched again. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { pause } from '#lib/runtime/timers.ts';
import { sourcesOfRepair } from '#src/datacenters/sources/sources.ts';
import { listFindings } from '#src/images/files/findings.ts';
import { loadRaw } from '#src/images/record/load.ts';
import { type RepairSource, repairFile } from '#src/maintenance/repair.ts';
import { fromDatacenter } from '#src/maintenance/repair-sources.ts';
import { pace } from '#src/maintenance/scrub/inspect.ts';
import { removeKept } from '#src/maintenance/scrub/kept.ts';
import { mendFiles } from '#src/maintenance/scrub/mend.ts';
import { unobserved } from '#src/maintenance/scrub/observer.ts';
import { checkFile, scrub } from '#src/maintenance/scrub/scrub.ts';
import { orderPass, scrubStatus } from '#src/maintenance/scrub/state.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { bytesOf, type Datacenter, linkedPair, putImage, putObject, setConfig } from '../../../helpers/datacenter.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { asker } from '../../imgapi/fixtures/ask.ts';

const { signal } = new AbortController();

/** A whole pass, ordered by an operator. */
async function pass(service: Service) {
  await orderPass(service);
  return scrub(service, unobserved, signal);
}

/** Two datacenters with the same image. */
async function twice(t: Parameters<typeof linkedPair>[0]) {
  const { east, west } = await linkedPair(t);
  const { record, bytes } = await putImage(west, ALICE);
  await putImage(east, ALICE, { uuid: record.uuid }, bytes);
  return { east, west, bytes, uuid: record.uuid };
}

function fileOf({ service }: Datacenter, uuid: string): string {
  return join(service.config.dataDir, 'storage', imageObjectPath(uuid, 'file0'));
}

async function stored({ service }: Datacenter, path: string): Promise<Buffer> {
  return bytesOf((await service.storages.named('local').read(path)).stream);
}

/** A byte now and then, until `signal` ends it. */
function dripping(signal: AbortSignal | undefined): Readable {
  const stream = Readable.from(
    (async function* () {
      for (;;) {
        yield Buffer.alloc(1);
        await pause(20, signal);
      }
    })(),
  );
  signal?.addEventListener('abort', () => stream.destroy(new Error('it took too long')));
  return stream;
}

test('a file with other bytes is found, quarantined, kept aside and fetched again', async (t) => {
  const { east, bytes, uuid } = await twice(t);
  const { service } = east;
  const rotten = Buffer.from(bytes);
  rotten[100] = (rotten[100] ?? 0) ^ 1;
  await writeFile(fileOf(east, uuid), rotten);
  t.match(await pass(service), { files: 1, bad: 1, skipped: 0 });
  const [finding] = await listFindings(service);
  t.match(finding, { uuid, file: 'file0', status: 'hash', quarantined: true, message: /sha1/ });
  t.strictSame((await loadRaw(service, uuid))?.value.quarantined, [0]);
  t.ok((await stored(east, finding?.kept ?? '')).equals(rotten), 'the damaged bytes are kept');
  t.equal(await mendFiles(service, unobserved, signal), 1);
  t.ok((await stored(east, imageObjectPath(uuid, 'file0'))).equals(bytes));
  t.strictSame(await listFindings(service), []);
  t.equal((await loadRaw(service, uuid))?.value.quarantined, undefined);
  t.ok((await stored(east, finding?.kept ?? '')).equals(rotten), 'also when the file is right again');
  t.match(await scrubStatus(service), { findings: 0, last: { files: 1, bad: 1 } });
});

test('a file that is missing, or too short, is fetched again', async (t) => {
  const { east, bytes, uuid } = await twice(t);
  const { service } = east;
  for (const [status, harm] of [
    ['size', () => truncate(fileOf(east, uuid), 10)],
    ['missing', () => service.storages.named('local').remove(imageObjectPath(uuid, 'file0'))],
  ] as const) {
    await harm();
    t.match(await pass(service), { bad: 1 });
    t.match(await listFindings(service), [{ status, quarantined: true }]);
    t.equal(await mendFiles(service, unobserved, signal), 1);
    t.ok((await stored(east, imageObjectPath(uuid, 'file0'))).equals(bytes), status);
  }
});

test('a source with other bytes changes nothing, and is asked again later', async (t) => {
  const { east, west, bytes, uuid } = await twice(t);
  const { service } = east;
  await writeFile(fileOf(east, uuid), Buffer.alloc(bytes.length, 1));
  await writeFile(fileOf(west, uuid), Buffer.alloc(bytes.length, 2));
  await pass(service);
  t.equal(await mendFiles(service, unobserved, signal), 0);
  t.match(await listFindings(service), [{ quarantined: true, repair: { problem: /us-west-1: .*its bytes differ/ } }]);
  t.ok((await stored(east, imageObjectPath(uuid, 'file0'))).equals(Buffer.alloc(bytes.length, 1)));
  t.strictSame(await service.storages.named('local').sessions(), []);
  await writeFile(fileOf(west, uuid), bytes);
  t.equal(await mendFiles(service, unobserved, signal), 0, 'not at once');
  east.clock.ahead += 3_600_001;
  west.clock.ahead += 3_600_001;
  t.equal(await mendFiles(service, unobserved, signal), 1);
  t.ok((await stored(east, imageObjectPath(uuid, 'file0'))).equals(bytes));
});

test('a source that drips costs its own time, and is asked last for the next file', async (t) => {
  const { east, bytes, uuid } = await twice(t);
  const { service } = east;
  const [good] = await sourcesOfRepair(service);
  if (!good) throw new Error('west is a source');
  let asked = 0;
  const evil: RepairSource = {
    name: 'evil',
    async read({ signal }) {
      asked++;
      return dripping(signal);
    },
  };
  const slow = new Set<string>();
  for (const time of ['first', 'second']) {
    await writeFile(fileOf(east, uuid), Buffer.alloc(bytes.length, 1));
    const found = await loadRaw(service, uuid);
    if (!found) throw new Error('it is there');
    const outcome = await repairFile(service, [evil, fromDatacenter(good)], found, 0, {
      signal,
      slow,
      leastLimitMs: 300,
    });
    t.match(outcome, { from: 'us-west-1' }, time);
    t.ok((await stored(east, imageObjectPath(uuid, 'file0'))).equals(bytes));
  }
  t.equal(asked, 1);
});

test('what another account has at the source is not fetched', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record, bytes } = await putImage(west, '00000000-0000-4000-8000-00000000beef');
  await putImage(east, ALICE, { uuid: record.uuid }, bytes);
  await truncate(fileOf(east, record.uuid), 1);
  await pass(east.service);
  t.equal(await mendFiles(east.service, unobserved, signal), 0);
  t.match(await listFindings(east.service), [{ repair: { problem: /us-west-1/ } }]);
});

test('bytes beyond the recorded size keep nobody from the file', async (t) => {
  const { east, bytes, uuid } = await twice(t);
  await writeFile(fileOf(east, uuid), Buffer.concat([bytes, Buffer.from('more')]));
  await pass(east.service);
  t.match(await listFindings(east.service), [{ status: 'size', quarantined: false }]);
  t.equal((await loadRaw(east.service, uuid))?.value.quarantined, undefined);
  t.equal(await mendFiles(east.service, unobserved, signal), 1);
  t.ok((await stored(east, imageObjectPath(uuid, 'file0'))).equals(bytes));
});

test('a later pass takes back what is right again', async (t) => {
  const { east, bytes, uuid } = await twice(t);
  await truncate(fileOf(east, uuid), 1);
  await pass(east.service);
  t.match(await listFindings(east.service), [{ status: 'size' }]);
  await putObject(east.service.storages.named('local'), imageObjectPath(uuid, 'file0'), bytes);
  t.match(await pass(east.service), { files: 1, bad: 0 });
  t.strictSame(await listFindings(east.service), []);
  t.equal((await loadRaw(east.service, uuid))?.value.quarantined, undefined);
});

test('a pass that is broken off is gone on with, by whichever process', async (t) => {
  const { east } = await linkedPair(t);
  const uuids: string[] = [];
  for (let i = 0; i < 45; i++) uuids.push((await putImage(east, ALICE, {}, Buffer.from(`${i}`))).record.uuid);
  const stop = new AbortController();
  let seen = 0;
  const stopping = { ...unobserved, file: () => void (++seen === 30 && stop.abort(new Error('stopped'))) };
  await orderPass(east.service);
  await t.rejects(scrub({ ...east.service, worker: 'first' }, stopping, stop.signal), /stopped/);
  t.match(await scrubStatus(east.service), { pass: { files: 30 } }, 'what was done is noted on the way out');
  t.match(await scrub({ ...east.service, worker: 'second' }, unobserved, signal), { files: 45, bad: 0 });
  t.equal(await scrub(east.service, unobserved, signal), undefined, 'the next one is due later');
});

test('a process that was stopped does not set a pass back that another one goes on with', async (t) => {
  const { east } = await linkedPair(t);
  for (let i = 0; i < 5; i++) await putImage(east, ALICE, {}, Buffer.from(`${i}`));
  await orderPass(east.service);
  const first = { ...east.service, worker: 'first' };
  let others: Promise<unknown> | undefined;
  const observer = {
    ...unobserved,
    file: () => {
      others ??= scrub({ ...east.service, worker: 'second' }, unobserved, signal);
    },
  };
  await t.rejects(
    (async () => {
      const own = scrub(first, observer, signal);
      await own.catch(() => undefined);
      await others;
      return own;
    })(),
    { name: 'LeaseLostError' },
  );
  t.match(await scrubStatus(east.service), { last: { files: 5 } });
});

test('a file that is replaced while it is read is no finding', async (t) => {
  const { east, bytes, uuid } = await twice(t);
  await truncate(fileOf(east, uuid), 1);
  const local = east.service.storages.named('local');
  let replaced: Promise<unknown> | undefined;
  const read = local.info.bind(local);
  Object.assign(local, {
    info: async (path: string) => {
      const info = await read(path);
      // Another process repairs it between the look and the note of it.
      replaced ??= (async () => {
        await putObject(local, path, bytes);
        const stored = await loadRaw(east.service, uuid);
        if (stored) {
          const value = { ...stored.value, rev: (stored.value.rev ?? 0) + 1 };
          await east.service.store.batch([{ op: 'put', bucket: IMAGES, key: uuid, value }]);
        }
      })();
      await replaced;
      return info;
    },
  });
  t.match(await pass(east.service), { bad: 0 });
  t.strictSame(await listFindings(east.service), []);
});

test('many bad files in a row end the pass, which goes on behind them', async (t) => {
  const { east } = await linkedPair(t);
  for (let i = 0; i < 22; i++) {
    const { record } = await putImage(east, ALICE, {}, Buffer.from(`${i}`));
    await east.service.storages.named('local').remove(imageObjectPath(record.uuid, 'file0'));
  }
  await orderPass(east.service);
  await t.rejects(scrub(east.service, unobserved, signal), /20 images in a row are damaged/);
  t.match(await scrub(east.service, unobserved, signal), { files: 22, bad: 22 });
});

test('damaged bytes are kept for as long as the configuration says', async (t) => {
  const { east, uuid } = await twice(t);
  await truncate(fileOf(east, uuid), 1);
  await pass(east.service);
  t.strictSame(await removeKept(east.service), []);
  east.clock.ahead += 32 * 86_400_000;
  t.equal((await removeKept(east.service)).length, 1);
  t.strictSame(await east.service.storages.named('local').list('quarantine'), []);
});

test('a pass reads no faster than it may, over all files together', async (t) => {
  const { east } = await linkedPair(t);
  setConfig(east, 'scrub', { bytesPerSecond: 200_000 });
  for (let i = 0; i < 4; i++) await putImage(east, ALICE, {}, Buffer.alloc(25_000, i));
  const began = performance.now();
  t.match(await pass(east.service), { files: 4, bad: 0 });
  const ms = performance.now() - began;
  t.ok(ms > 490, `100,000 bytes in ${ms} ms`);
});

test('a pass that nobody ordered begins when its time has come, and only then', async (t) => {
  const { east } = await twice(t);
  setConfig(east, 'scrub', { intervalSeconds: 3600 });
  const look = () => scrub(east.service, unobserved, signal);
  t.equal(await look(), undefined, 'the first look begins none');
  for (const time of ['first', 'second']) {
    east.clock.ahead += 3_500_000;
    t.equal(await look(), undefined, `before the ${time}`);
    east.clock.ahead += 100_001;
    t.match(await look(), { files: 1, bad: 0 }, time);
  }
  setConfig(east, 'scrub', { intervalSeconds: 0 });
  east.clock.ahead += 1e10;
  t.equal(await look(), undefined, 'with an interval of 0 none begins by itself');
});

test('the state of the service tells how many files are damaged', async (t) => {
  const { imgapi, client, url, dataDir } = await startInProcess(t);
  const { service } = imgapi;
  const { image, bytes } = await makeImage(client({ account: ALICE }));
  const path = join(dataDir, 'storage', imageObjectPath(image.uuid, 'file0'));
  const ask = asker(t, url);
  // As a pass does with each file.
  const check = () => checkFile(service, image.uuid, 0, pace({ bytesPerSecond: 0 }), signal);
  await writeFile(path, Buffer.alloc(bytes.length, 1));
  t.match(await check(), { status: 'hash' });
  t.match((await ask('/state')).json, { scrub: { findings: 1 } });
  await writeFile(path, bytes);
  t.equal(await check(), 'good');
  t.match((await ask('/state')).json, { scrub: { findings: 0 } });
});
