/** What happened to an image of the account. */
import type { EVENTS } from '#lib/api/cloudapi/events.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import type { Cloudapi } from '../service.ts';

export function eventHandlers({ imgapi }: Cloudapi): Handlers<typeof EVENTS, Call> {
  return {
    async ListImageEvents({ imageId, onBehalf }, { kind, limit, marker }) {
      return { json: await imgapi.listImageEvents(imageId, { ...onBehalf, kind, limit, marker }) };
    },
  };
}
