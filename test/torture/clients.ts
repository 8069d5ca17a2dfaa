/** Clients that do all that accounts do, one thing after another, each with images of its own. */
import { make } from './making.ts';
import type { Entry } from './model.ts';
import type { Notebook } from './notebook.ts';
import {
  able,
  clone,
  draw,
  list,
  type Operation,
  protect,
  read,
  remove,
  share,
  undelete,
  update,
} from './operations.ts';
import { copy, fanOut, importRemote } from './transfers.ts';

const MOST_IMAGES = 6;

/** How many of a hundred times. */
const OPERATIONS: readonly (readonly [number, Operation])[] = [
  [17, make],
  [9, update],
  [5, protect],
  [8, share],
  [6, able],
  [8, draw],
  [7, read],
  [7, list],
  [6, clone],
  [7, remove],
  [6, undelete],
  [6, copy],
  [5, fanOut],
  [3, importRemote],
];

export async function work(book: Notebook, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const entry: Entry | undefined = book.own.length === 0 ? undefined : book.random.pick(book.own);
    if (!entry || book.own.length < 2) await make(book);
    else if (book.own.length > MOST_IMAGES) await remove(book, book.own[0] ?? entry);
    else await chosen(book.random.below(100))(book, entry);
    await new Promise((resolve) => setTimeout(resolve, 20 + book.random.below(80)));
  }
}

function chosen(dice: number): Operation {
  let left = dice;
  for (const [times, operation] of OPERATIONS) {
    left -= times;
    if (left < 0) return operation;
  }
  return list;
}
