/** A zone of Triton in which today's IMGAPI has run, with the engines that the rendered configurations name. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { morayDouble, type RawClient, rawClient } from '../../doubles/moray/client.ts';
import { keyOf, makePeople } from '../../helpers/cloudapi.ts';
import { MANIFEST, sha1Of } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { selfSigned, ufdsFor } from '../../helpers/ufds.ts';
import { makeTodaysBucket, OWNER } from '../../lib/documents/moray/todays-bucket.ts';
import type { Places } from '../start-file.ts';

/** An image of which the bytes `ten bytes.` are local. */
export const LOCALS = '66666666-6666-4666-8666-666666666666';

export const people = makePeople();

export interface Zone {
  readonly dataDir: string;
  readonly moray: RawClient;
  /** The section of the configuration. */
  readonly ufds: object;
  /** Where the engines and the data are, by what stands in a rendered file. */
  readonly places: Places;
}

export async function zoneFor(t: Test): Promise<Zone> {
  const server = await morayDouble(t);
  const moray = await rawClient(t, server);
  await makeTodaysBucket(moray);
  await putRecord(moray, LOCALS, 'local', 'ten bytes.');
  const sshKeys = Object.fromEntries(
    Object.values(people).map((person) => [person.uuid, { mine: `${keyOf(person).key.publicKey.openssh} x` }]),
  );
  const { keys } = await ufdsFor(t, { sshKeys, tls: selfSigned('ufds') });
  const ufds = keys['ufds'] as { readonly url: string };
  const dataDir = await dataOfToday(t);
  const places = {
    '"port": 80,': `"port": 0, "dataDir": "${dataDir}",`,
    'ldaps://ufds.us-sw-1.cloud.example.com': ufds.url,
    'moray.us-sw-1.cloud.example.com': '127.0.0.1',
    '2020': String(server.port),
  };
  return { dataDir, moray, ufds, places };
}

/** An image as today's IMGAPI has it. */
export async function putRecord(moray: RawClient, uuid: string, stor: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const contentMD5 = createHash('md5').update(bytes).digest('base64');
  const files = [{ sha1: sha1Of(bytes), size: bytes.length, contentMD5, compression: 'none', stor }];
  const states = { state: 'active', activated: true, disabled: false, public: true };
  const record = { ...MANIFEST, ...states, v: 2, uuid, owner: OWNER, published_at: '2016-01-01T00:00:00Z', files };
  await moray.put('imgapi_images', uuid, record);
}

/** The data folder of a zone in which today's IMGAPI has run: open to others, with one image, and its scripts saved there. */
async function dataOfToday(t: Test): Promise<string> {
  const dataDir = await temporaryFolder(t);
  await chmod(dataDir, 0o755);
  for (const name of ['etc', 'prepare-image', 'archive/666', `images/666/${LOCALS}`]) {
    await mkdir(join(dataDir, name), { recursive: true, mode: 0o755 });
  }
  await writeFile(join(dataDir, 'images/666', LOCALS, 'file0'), 'ten bytes.');
  await writeFile(join(dataDir, 'archive/666', `${LOCALS}.json`), '{}');
  return dataDir;
}
