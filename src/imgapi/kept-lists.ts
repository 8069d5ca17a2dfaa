/**
 * Answers to requests for short lists, as bytes. The same few are asked for again and again; reading such a request,
 * finding its images and joining their texts take several times as long as sending the bytes that were sent before. Whether
 * they are still right is asked of the store each time.
 */

import { LRUCache } from 'lru-cache';
import type { KeptList } from '#lib/documents/store.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { ShortPage } from '../images/list.ts';
import { type ImageView, renderImage, renderImageList } from '../images/record/serialize.ts';
import type { Call, Reply } from './call.ts';

/** Bytes of answers and of what was asked, approximately. */
const MOST_BYTES = 12 * 1024 * 1024;
/** Characters of a request. */
const LONGEST = 1000;
/** Bytes of a request that was read, and for each of its characters. */
const WEIGHT = 2000;
const CHARACTER_WEIGHT = 4;

/** What tells one request from another. */
type Sent = Pick<Call, 'version' | 'user' | 'url'>;

/** What was asked for, and the answer that was last made to it. */
interface Asked {
  readonly page: ShortPage;
  readonly view: ImageView;
  readonly answer?: { readonly list: KeptList<ImageRecord>; readonly bytes: Uint8Array };
}

export class KeptLists {
  readonly #asked = new LRUCache<string, Asked>({ maxSize: MOST_BYTES });

  /** The answer, if the same was asked before and nothing has changed it. */
  answerTo(call: Sent): Reply | undefined {
    const key = keyOf(call);
    const asked = this.#asked.get(key);
    return asked && this.#answer(key, asked);
  }

  /** The answer, if it can be told without waiting. Version 3 needs more, the logins of owners. */
  answerAnew(call: Sent, page: ShortPage, view: ImageView): Reply | undefined {
    const key = keyOf(call);
    return key.length > LONGEST ? undefined : this.#answer(key, { page, view });
  }

  #answer(key: string, { page, view, answer }: Asked): Reply | undefined {
    const list = page.kept();
    if (!list) return undefined;
    if (answer?.list === list) return { bytes: answer.bytes };
    const images = page.imagesOf(list);
    if (!images) return undefined;
    const bytes = Buffer.from(renderImageList(images.map(({ value }) => renderImage(value, view))));
    const size = WEIGHT + CHARACTER_WEIGHT * key.length + bytes.length;
    this.#asked.set(key, { page, view, answer: { list, bytes } }, { size });
    return { bytes };
  }
}

/** All that decides what such a request asks for, beside the configuration. Outside `dc` mode it counts whether somebody signed it. */
function keyOf({ version, user, url }: Sent): string {
  return `${version}${user === undefined ? '' : ' signed'} ${url}`;
}
