/** AddImageAcl and RemoveImageAcl, which share an image or leave a shared one; and CloneImage. */

import { invalidParameter } from '#lib/api/errors/api-error.ts';
import type { SHARING } from '#lib/api/imgapi/sharing.ts';
import type { Dispatch, Handlers } from '../../http-kit/operations.ts';
import { cloneImage } from '../../images/cloning/clone.ts';
import { assertMayChangeAs } from '../../images/record/access.ts';
import { acceptShare } from '../../images/sharing/accept-share.ts';
import { changeShareSettings, shareSettingsOf } from '../../images/sharing/acceptance.ts';
import { addAcl, assertEntries, removeAcl } from '../../images/sharing/shares.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import {
  assertCondition,
  changeRequest,
  imageReply,
  type RelatedImage,
  viewerOf,
  visibleImageForWrite,
} from '../image-call.ts';
import { readSettings, settingsOf, shownSettings } from '../share-settings.ts';

export function sharingHandlers(service: Service): Handlers<typeof SHARING, Call> {
  async function change(call: Call, { stored }: RelatedImage, action: 'add' | 'remove'): Promise<Reply> {
    const entries = await call.json();
    // An account may leave in any version by naming the entry as it was shown.
    assertEntries(service, entries, call.version);
    const { account } = viewerOf(service, call);
    const { requestId: id } = call;
    call.log.info({ image: stored.key, acl: action, account, entries: entries.length, req_id: id }, 'acl');
    const write = action === 'add' ? addAcl : removeAcl;
    const changed = await write(service, changeRequest(service, call), entries);
    return changed ? imageReply(service, call, changed) : { status: 204 };
  }

  return {
    async AddImageAcl(call) {
      const image = await visibleImageForWrite(service, call);
      assertMayChangeAs(image.relation, image.stored.value, viewerOf(service, call));
      assertCondition(service, call, image.stored);
      return change(call, image, 'add');
    },

    async RemoveImageAcl(call) {
      const image = await visibleImageForWrite(service, call);
      if (image.relation !== 'sharee') assertMayChangeAs(image.relation, image.stored.value, viewerOf(service, call));
      assertCondition(service, call, image.stored);
      return change(call, image, 'remove');
    },

    async AcceptImage(call, query) {
      const { stored } = await visibleImageForWrite(service, call);
      assertCondition(service, call, stored);
      const { account } = query;
      const accepted = await acceptShare(service, changeRequest(service, call), account);
      call.log.info({ image: stored.key, acl: 'accept', account, req_id: call.requestId }, 'acl');
      return imageReply(service, call, accepted);
    },

    async GetShareSettings(call) {
      const account = settingsOf(call);
      return { json: shownSettings(account, await shareSettingsOf(service, account)) };
    },

    async ChangeShareSettings(call) {
      const account = settingsOf(call);
      const change = readSettings(service, await call.json());
      const settings = await changeShareSettings(service, account, change);
      call.log.info({ audit: 'share-settings', owner: account, change, req_id: call.requestId }, 'share settings');
      return { json: shownSettings(account, settings) };
    },

    async CloneImage(call, query) {
      const { stored: source } = await visibleImageForWrite(service, call);
      assertCondition(service, call, source);
      const { account } = query;
      const { condition } = changeRequest(service, call);
      const request = { source: source.key, account, condition, requestId: call.requestId };
      const stored = await cloneImage(service, request, call.signal);
      call.log.info({ image: stored.key, source: source.key, account, req_id: call.requestId }, 'image cloned');
      return imageReply(service, call, stored);
    },
  };
}

export function aclDispatch(service: Service): Dispatch<Call> {
  return {
    async otherwise(call) {
      const { stored, relation } = await visibleImageForWrite(service, call);
      assertMayChangeAs(relation, stored.value, viewerOf(service, call));
      const { action } = call.query;
      throw invalidParameter('action', `action is ${JSON.stringify(action)}; it must be add or remove`);
    },
  };
}
