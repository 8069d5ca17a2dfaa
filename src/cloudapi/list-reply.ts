/** Images of IMGAPI as CloudAPI's list: whole where it is short, and where it is long no faster than it is read. */

import { Turn } from '#lib/runtime/turns.ts';
import { ARRAY_END, arrayItem, arrayItems, EMPTY_ARRAY } from '#lib/text/json-array.ts';
import type { Reply } from '../http-kit/call.ts';
import { type TextPiece, wholeOrBegun } from '../http-kit/text-pieces.ts';
import type { Call } from './call.ts';
import type { Cloudapi } from './service.ts';
import { type ImageView, type TranslatableImage, translateImage } from './translate.ts';

export type ImageBits = AsyncIterable<readonly TranslatableImage[]>;

/** What goes wrong at the beginning is thrown, and answered like any other error. */
export async function listReply(cloudapi: Cloudapi, call: Call, bits: ImageBits): Promise<Reply> {
  const list = await wholeOrBegun(listPieces(cloudapi, call, bits));
  return 'text' in list ? { text: list.text } : list;
}

/** A failure after the beginning was sent is logged here: the client sees a cut and no more. */
async function* listPieces({ log }: Cloudapi, call: Call, bits: ImageBits): AsyncGenerator<TextPiece, void> {
  const { view } = call;
  const turn = new Turn();
  let isFirst = true;
  try {
    for await (const images of bits) {
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
  return images.map((image) => arrayItem(JSON.stringify(translateImage(image, view), null, 2)));
}
