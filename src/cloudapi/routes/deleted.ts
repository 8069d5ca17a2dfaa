/** Deleted images of the account. */
import type { DELETED } from '#lib/api/cloudapi/deleted.ts';
import type { DeletedImage } from '#lib/api/schemas/deleted-image.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import type { Cloudapi } from '../service.ts';

/** How many are asked for at once. */
const PAGE = 1000;

export function deletedHandlers({ imgapi }: Cloudapi): Handlers<typeof DELETED, Call> {
  return {
    async ListDeletedImages({ onBehalf }) {
      const found: DeletedImage[] = [];
      for (let marker: string | undefined; ; ) {
        const page = await imgapi.listDeletedImages({
          ...onBehalf,
          limit: PAGE,
          ...(marker !== undefined && { marker }),
        });
        found.push(...page);
        marker = page.at(-1)?.uuid;
        if (page.length < PAGE) break;
      }
      return { json: found.map(({ uuid: id, owner: _, ...rest }) => ({ id, ...rest })) };
    },
  };
}
