/**
 * A process that keeps a server busy until its standard input ends: as many uploads at a time as images are named, each of
 * which is copied again and again meanwhile. Arguments: URL of the server, MiB of an upload, the images. It writes a line once
 * each of them has ended: a start, in which all orders and first bytes come at once and code is compiled, is something else.
 */
import { once } from 'node:events';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { copied, uploadFilled } from './transfers.ts';

async function main([url = '', mebibytes = '', ...images]: readonly string[]): Promise<void> {
  const client = new ImgapiClient({ url, account: ALICE });
  let isOver = false;
  let starting = 2 * images.length;
  const again = async (work: () => Promise<unknown>): Promise<void> => {
    await work();
    starting -= 1;
    if (starting === 0) process.stdout.write('busy\n');
    while (!isOver) await work();
  };
  const all = images.flatMap((uuid) => [
    again(async () => client.deleteImage(await uploadFilled(client, Number(mebibytes), 'busy'))),
    again(async () => {
      await copied(client, uuid);
      await client.deleteImage(uuid);
    }),
  ]);
  process.stdin.resume();
  await Promise.race([once(process.stdin, 'end'), Promise.all(all)]);
  isOver = true;
  await Promise.all(all);
  await client.destroy();
}

await main(process.argv.slice(2));
