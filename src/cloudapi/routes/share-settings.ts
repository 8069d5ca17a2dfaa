/** The settings of the account for what others share with it. */
import type { SHARE_SETTINGS } from '#lib/api/cloudapi/share-settings.ts';
import type { ShareSettings } from '#lib/api/schemas/share-settings.ts';
import type { Reply } from '../../http-kit/call.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { readParameters } from '../parameters.ts';
import type { Cloudapi } from '../service.ts';

const FIELDS = ['acceptance', 'trusted'] as const;

export function shareSettingsHandlers({ imgapi, log }: Cloudapi): Handlers<typeof SHARE_SETTINGS, Call> {
  return {
    async GetShareSettings({ account, onBehalf }) {
      return answer(await imgapi.getShareSettings(account.uuid, onBehalf));
    },

    async ChangeShareSettings(call) {
      await readParameters(call);
      const { account, onBehalf, parameters, requestId } = call;
      const given = FIELDS.flatMap((field) => (parameters[field] === undefined ? [] : [[field, parameters[field]]]));
      const change: object = Object.fromEntries(given);
      const settings = await imgapi.changeShareSettings(account.uuid, change, onBehalf);
      log.info({ audit: 'share-settings', account: account.uuid, change, req_id: requestId }, 'share settings');
      return answer(settings);
    },
  };
}

function answer({ account: _, ...settings }: ShareSettings): Reply {
  return { json: settings };
}
