/** Sends IMGAPI's images as CloudAPI's list: a short one as a whole, a long one no faster than the client reads it. */
import { Turn } from '#lib/runtime/turns.ts';
import { ARRAY_END, arrayItem, arrayItems, EMPTY_ARRAY } from '#lib/text/json-array.ts';
import type { Reply } from '../http-kit/call.ts';
import { type TextPiece, wholeOrBegun } from '../http-kit/text-pieces.ts';
import type { Call } from './call.ts';
import type { Cloudapi } from './service.ts';
import { type ImageView, type TranslatableImage, translateImage } from './translate.ts';

export type ImageBatches = AsyncIterable<readonly TranslatableImage[]>;

/** Throws what goes wrong at the beginning, to be answered like any other error. */
export async function listReply(cloudapi: Cloudapi, call: Call, batches: ImageBatches): Promise<Reply> {
  const list = await wholeOrBegun(listPieces(cloudapi, call, batches));
  return 'text' in list ? { text: list.text } : list;
}

/** Logs a failure after the beginning was sent: the client sees only that the answer was cut off. */
async function* listPieces({ log }: Cloudapi, call: Call, batches: ImageBatches): AsyncGenerator<TextPiece, void> {
  const { view } = call;
  const turn = new Turn();
  let isFirst = true;
  try {
    for await (const images of batches) {
      if (turn.isOver) await turn.next();
      yield { text: arrayItems(textsOf(view, images), isFirst) };
      isFirst = false;
    }
    yield { text: isFirst ? EMPTY_ARRAY : ARRAY_END, isLast: true };
  } catch (error) {
    if (!isFirst && !call.signal.aborted) {
      log.error({ err: error, req_id: call.requestId }, 'a list was cut off in its middle');
    }
    throw error;
  }
}

function textsOf(view: ImageView, images: readonly TranslatableImage[]): string[] {
  return images.map((image) => arrayItem(translateImage(image, view)));
}
