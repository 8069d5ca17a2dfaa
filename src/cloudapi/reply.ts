/** Replies that several routes give. */
import type { HttpAnswer } from '#lib/client/transport.ts';
import type { Reply } from '../http-kit/call.ts';
import type { Call } from './call.ts';
import { type TranslatableImage, translateImage } from './translate.ts';

export function imageReply({ view }: Call, image: TranslatableImage): Reply {
  return { json: translateImage(image, view) };
}

/** Passes IMGAPI's answer through unchanged, with only the named headers. */
export function passedOn({ status, headers, body }: HttpAnswer, names: readonly string[]): Reply {
  const kept = Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
  return { status, headers: kept, stream: body };
}
