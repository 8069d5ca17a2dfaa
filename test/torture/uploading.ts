/** How files come up: in one request, or as an upload that survives its connection and goes on where it stopped. */
import { type Content, streamOf } from './contents.ts';
import type { Entry, Known } from './model.ts';
import type { Notebook } from './notebook.ts';

/** A large file is often cut off, and without tries there would be few. */
export const TRIES_OF_LARGE = 5;
const MOST_PARTS = 15;
const PAUSE_MS = 200;

/** Whether it was acknowledged. @param next what the image is with its file */
export async function upload(book: Notebook, entry: Entry, next: Known, content: Content): Promise<boolean> {
  const { isLarge, isAgain } = content;
  if (book.random.chance(0.3)) return await inParts(book, entry, next, content);
  const what = `upload${isLarge ? ' of a large file' : ''}${isAgain ? ' with bytes of an earlier one' : ''}`;
  const send = () =>
    book.step(what, entry, next, () =>
      book.client(entry.place).addImageFile(entry.uuid, streamOf(content), parametersOf(content)),
    );
  return (await book.insist(send, isLarge ? TRIES_OF_LARGE : 1)) ?? false;
}

async function inParts(book: Notebook, entry: Entry, next: Known, content: Content): Promise<boolean> {
  // Known before it is asked for, as its last part may come without an answer.
  entry.possible = [...entry.possible, next];
  entry.upload = content;
  for (let part = 0; part < MOST_PARTS; part++) {
    const offset = await begin(book, entry, content, async (upload, offset) => {
      const left = content.size - offset;
      // All may have come, and only the end is missing.
      const size = left === 0 || book.random.chance(0.5) ? left : 1 + book.random.below(left);
      const image = await book
        .client(entry.place)
        .appendImageUpload(entry.uuid, upload, streamOf(content, offset, size), { offset, size });
      return { isStored: image !== undefined };
    });
    if (offset?.isStored) {
      entry.possible = [next];
      delete entry.upload;
      return true;
    }
    if (!offset) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return false;
}

/** What begins the same upload again is told where it goes on. */
async function begin<T>(
  book: Notebook,
  { place, uuid }: Entry,
  content: Content,
  goOn: (upload: string, offset: number) => Promise<T>,
): Promise<T | undefined> {
  const begun = await book.ask('begin an upload', () =>
    book.client(place).beginImageUpload(uuid, parametersOf(content)),
  );
  if (!begun) return undefined;
  if (begun.offset > 0) book.count(`go on with an upload${content.isLarge ? ' of a large file' : ''}`);
  return book.ask('append to an upload', () => goOn(begun.uuid, begun.offset));
}

/** Gives up the upload that the image may have: what it has staged would stay for a day. Whether there is none any more. */
export async function giveUp(book: Notebook, entry: Entry): Promise<boolean> {
  const { upload: content, place, uuid } = entry;
  if (!content) return true;
  const client = book.client(place);
  const begun = await book.ask('begin an upload', () => client.beginImageUpload(uuid, parametersOf(content)));
  if (!begun) return false;
  const isOver = await book.ask('cancel an upload', async () => ({
    answer: await client.cancelImageUpload(uuid, begun.uuid),
  }));
  if (isOver) delete entry.upload;
  return isOver !== undefined;
}

function parametersOf({ size, sha1 }: Content) {
  return { compression: 'none', size, sha1 } as const;
}
