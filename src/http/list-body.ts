/** The body of a list of images: whole where it is short, in pieces where it is long. */
import { Turn } from '#lib/turns.ts';
import type { Cursor, ImageBit } from '../images/list.ts';
import type { StoredImage } from '../images/load.ts';
import { type ImageView, LIST_END, type RenderedImage, renderImage, renderListItems } from '../images/serialize.ts';
import type { Service } from '../service.ts';
import type { Call } from './call.ts';
import { ownerLogins } from './image-call.ts';

/** Characters that are held to be sent at once, with their length in front. */
const SHORT = 512 * 1024;
/** Images that are rendered without a break. */
const FEW = 50;

export interface ListPiece {
  readonly text: string;
  /** It is the last one. */
  readonly isLast?: boolean;
  /** With the last piece of a page: where the next one begins. */
  readonly next?: Cursor | undefined;
}

type Pieces = AsyncGenerator<ListPiece, void>;

/** A failure after the beginning was sent is logged here: the client sees a cut and no more. */
export async function* listPieces(
  service: Service,
  call: Call,
  bits: AsyncIterable<ImageBit>,
  view: Omit<ImageView, 'ownerLogin'>,
): Pieces {
  let isFirst = true;
  let next: Cursor | undefined;
  try {
    for await (const bit of bits) {
      next = bit.next;
      if (bit.images.length === 0) continue;
      yield { text: renderListItems(await renderAll(service, bit.images, view), isFirst) };
      isFirst = false;
    }
    yield { text: isFirst ? '[]' : LIST_END, isLast: true, next };
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

/** All of the text when it is short; otherwise its pieces, of which those that were read already come first. */
export async function wholeOrBegun(
  pieces: Pieces,
): Promise<{ readonly text: string; readonly next?: Cursor | undefined } | { readonly pieces: Texts }> {
  const held: string[] = [];
  for (let characters = 0; characters < SHORT; ) {
    const { value } = await pieces.next();
    if (value) held.push(value.text);
    if (!value || value.isLast) return { text: held.join(''), next: value?.next };
    characters += value.text.length;
  }
  return { pieces: texts(pieces, held) };
}

type Texts = AsyncGenerator<string, void>;

export async function* texts(pieces: Pieces, held: readonly string[] = []): Texts {
  try {
    yield* held;
    for await (const { text } of pieces) yield text;
  } finally {
    // Also when nobody came so far as to begin with them.
    await pieces.return();
  }
}
