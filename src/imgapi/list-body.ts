/** The body of a list of images, piece by piece. */

import { Turn } from '#lib/runtime/turns.ts';
import { ARRAY_END, EMPTY_ARRAY } from '#lib/text/json-array.ts';
import type { TextPiece } from '../http-kit/text-pieces.ts';
import { cursorOf, type ImageBit } from '../images/list.ts';
import type { Cursor } from '../images/list-start.ts';
import type { StoredImage } from '../images/record/load.ts';
import { type ImageView, type RenderedImage, renderImage, renderListItems } from '../images/record/serialize.ts';
import type { Service } from '../service/service.ts';
import type { Call } from './call.ts';
import { viewsFor } from './image-call.ts';

/** The most images that are rendered without giving others a turn. */
const FEW = 50;

export interface ListPiece extends TextPiece {
  /** Images up to and including this piece. */
  readonly count: number;
  /** Position of the last of them; absent if there are none. */
  readonly place?: Cursor | undefined;
  /** In the last piece of a page: where the next page begins. */
  readonly next?: Cursor | undefined;
}

/**
 * @param begun the part of the list that has been made already
 *
 * A failure after the beginning was sent is logged here: the client only sees that the list breaks off.
 */
export async function* listPieces(
  service: Service,
  call: Call,
  bits: AsyncIterable<ImageBit>,
  view: Omit<ImageView, 'ownerLogin'>,
  begun?: ListPiece,
): AsyncGenerator<ListPiece, void> {
  let count = begun?.count ?? 0;
  let place = begun?.place;
  let next: Cursor | undefined;
  try {
    for await (const bit of bits) {
      next = bit.next;
      if (bit.images.length === 0) continue;
      const text = renderListItems(await renderAll(service, bit.images, view), count === 0);
      count += bit.images.length;
      place = placeOf(bit.images) ?? place;
      yield { text, count, place };
    }
    yield { text: count === 0 ? EMPTY_ARRAY : ARRAY_END, count, place, isLast: true, next };
  } catch (error) {
    if (count > 0 && !call.signal.aborted) {
      service.log.error({ err: error, req_id: call.requestId }, 'a list was cut off in its middle');
    }
    throw error;
  }
}

function placeOf(images: readonly StoredImage[]): Cursor | undefined {
  const last = images.at(-1)?.value;
  return last && cursorOf(last);
}

async function renderAll(
  service: Service,
  images: readonly StoredImage[],
  view: Omit<ImageView, 'ownerLogin'>,
): Promise<RenderedImage[]> {
  const viewFor = await viewsFor(service, images, view);
  const rendered: RenderedImage[] = [];
  const turn = new Turn();
  for (const { value } of images) {
    if (images.length > FEW && turn.isOver) await turn.next();
    rendered.push(renderImage(value, viewFor(value)));
  }
  return rendered;
}
