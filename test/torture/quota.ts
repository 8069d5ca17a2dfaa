/** An account that always wants more images than it may have, of all processes at once. */
import type { ImgapiClient } from '#lib/client/client.ts';
import { CAROL } from '../helpers/accounts.ts';
import { MANIFEST } from '../helpers/images.ts';
import type { Notebook, Place } from './notebook.ts';

const MOST = 3;
const AT_ONCE = 4;

export async function limitImages(client: ImgapiClient): Promise<void> {
  await client.setQuota(CAROL, { images: MOST });
}

export async function crowd(book: Notebook, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const place = book.random.pick(book.places).name;
    const wanted = Array.from({ length: AT_ONCE }, () =>
      book.ask('create within a quota', () => book.client(place, CAROL).createImage(MANIFEST)),
    );
    await Promise.all(wanted);
    const found = await book.ask('list', () => imagesOf(book.client(place, CAROL)));
    if (found && found.length > MOST) book.wrong(`${place}: ${found.length} images, where ${MOST} are allowed`);
    for (const uuid of found ?? []) {
      if (book.random.chance(0.7)) {
        await book.ask('delete', async () => ({ answer: await book.client(place, CAROL).deleteImage(uuid) }));
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 200 + book.random.below(300)));
  }
}

/** What is wrong when all is quiet. */
export async function quotaLies(places: readonly Place[], book: Notebook): Promise<string[]> {
  const lies: string[] = [];
  for (const { name } of places) {
    const client = book.client(name, CAROL);
    const there = (await imagesOf(client)).length;
    const { used } = await client.getQuota(CAROL);
    const isRight = there <= MOST && used.images === there;
    if (!isRight) lies.push(`${name}: ${there} images, ${used.images} counted, ${MOST} allowed`);
  }
  return lies;
}

async function imagesOf(client: ImgapiClient): Promise<string[]> {
  return (await client.listImages({ state: 'all', owner: CAROL })).map(({ uuid }) => uuid);
}
