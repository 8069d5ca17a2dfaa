/** The body of a list of images, piece by piece. */
import { ARRAY_END, EMPTY_ARRAY } from '#lib/json-array.ts';
import { Turn } from '#lib/turns.ts';
import type { Cursor, ImageBit } from '../images/list.ts';
import type { StoredImage } from '../images/load.ts';
import { type ImageView, type RenderedImage, renderImage, renderListItems } from '../images/serialize.ts';
import type { Service } from '../service.ts';
import type { Call } from './call.ts';
import { ownerLogins } from './image-call.ts';
import type { TextPiece } from './text-pieces.ts';

/** Images that are rendered without a break. */
const FEW = 50;

export interface ListPiece extends TextPiece {
  /** With the last piece of a page: where the next one begins. */
  readonly next?: Cursor | undefined;
}

/** A failure after the beginning was sent is logged here: the client sees a cut and no more. */
export async function* listPieces(
  service: Service,
  call: Call,
  bits: AsyncIterable<ImageBit>,
  view: Omit<ImageView, 'ownerLogin'>,
): AsyncGenerator<ListPiece, void> {
  let isFirst = true;
  let next: Cursor | undefined;
  try {
    for await (const bit of bits) {
      next = bit.next;
      if (bit.images.length === 0) continue;
      yield { text: renderListItems(await renderAll(service, bit.images, view), isFirst) };
      isFirst = false;
    }
    yield { text: isFirst ? EMPTY_ARRAY : ARRAY_END, isLast: true, next };
  } catch (error) {
    if (!isFirst && !call.signal.aborted) {
      service.log.error({ err: error, req_id: call.requestId }, 'a list was cut off in its middle');
    }
    throw error;
  }
}

async function renderAll(
  service: Service,
  images: readonly StoredImage[],
  view: Omit<ImageView, 'ownerLogin'>,
): Promise<RenderedImage[]> {
  const logins = view.version === 3 ? await ownerLogins(service, images) : undefined;
  const rendered: RenderedImage[] = [];
  const turn = new Turn();
  for (const { value } of images) {
    if (images.length > FEW && turn.isOver) await turn.next();
    rendered.push(renderImage(value, { ...view, ownerLogin: logins?.get(value.owner ?? '') }));
  }
  return rendered;
}
