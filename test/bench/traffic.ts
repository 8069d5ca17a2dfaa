/**
 * A process that keeps a server busy until its standard input ends, from the line that it writes on: as many uploads at a time as images are named, each of
 * which is copied again and again meanwhile. Arguments: URL of the server, MiB of an upload, the images.
 */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';

const MIB = 2 ** 20;
const MANIFEST = { type: 'zone-dataset', os: 'linux', version: '1.0.0', name: 'busy' };

/** An image with a file of so many MiB. */
export async function uploadOne(client: ImgapiClient, mebibytes: number): Promise<string> {
  const { uuid } = await client.createImage(MANIFEST);
  const bytes = Buffer.alloc(MIB, uuid);
  const body = Readable.from(Array.from({ length: mebibytes }, () => bytes));
  await client.addImageFile(uuid, body, { compression: 'none', size: mebibytes * MIB });
  return uuid;
}

async function copyOne(client: ImgapiClient, uuid: string): Promise<void> {
  await client.copyImageFromDc(uuid, { datacenter: 'bench-1' });
  let state = '';
  for await (const status of client.watchImageCopy(uuid)) state = status.state;
  if (state !== 'succeeded') throw new Error(`the copy ended as ${state}`);
  await client.deleteImage(uuid);
}

async function main([url = '', mebibytes = '', ...images]: readonly string[]): Promise<void> {
  const client = new ImgapiClient({ url, account: ALICE });
  let isOver = false;
  const again = async (work: () => Promise<unknown>): Promise<void> => {
    while (!isOver) await work();
  };
  const all = images.flatMap((uuid) => [
    again(async () => client.deleteImage(await uploadOne(client, Number(mebibytes)))),
    again(() => copyOne(client, uuid)),
  ]);
  process.stdout.write('busy\n');
  process.stdin.resume();
  await Promise.race([once(process.stdin, 'end'), Promise.all(all)]);
  isOver = true;
  await Promise.all(all);
  await client.destroy();
}

if (import.meta.main) await main(process.argv.slice(2));
