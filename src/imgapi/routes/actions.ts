/** `POST /images/:uuid?action=…`, except the actions that order a copy; and the answer to an unknown action. */

import { ApiError, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ACTIONS } from '#lib/api/imgapi/actions.ts';
import { manifestFrom } from '../../datacenters/sources/fetched.ts';
import type { Dispatch, Handlers } from '../../http-kit/operations.ts';
import { activateImage, setDisabled } from '../../images/activation.ts';
import { assertSameUuid, importImage } from '../../images/create.ts';
import { addToChannel } from '../../images/delete.ts';
import type { Moves } from '../../images/moving/moves.ts';
import type { ChangeRequest } from '../../images/record/change.ts';
import type { StoredImage } from '../../images/record/load.ts';
import { imageEtag, serializeFull } from '../../images/record/serialize.ts';
import { updateImage } from '../../images/update.ts';
import { assertMayRename, assertNotInTheMaking } from '../../machines/find-jobs.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { changeRequest, channelOf, imageReply, imageUuid, writableImage } from '../image-call.ts';
import { changeStorage, exportImage } from './storage.ts';

/** What AdminImportImage needs of copies. */
export interface PlaceholderReplacer {
  /** Removes what a failed copy left behind, so that an import can take its place. */
  removePlaceholder(placeholder: StoredImage): Promise<void>;
}

export function actionHandlers(
  service: Service,
  copies: PlaceholderReplacer,
  moves: Moves,
): Handlers<typeof ACTIONS, Call> {
  async function change(call: Call, act: (request: ChangeRequest) => Promise<StoredImage>): Promise<Reply> {
    await writableImage(service, call);
    return imageReply(service, call, await act(changeRequest(service, call)));
  }

  return {
    async AdminImportImage(call, query) {
      const uuid = imageUuid(call);
      const channel = channelOf(service, call, 'write');
      if (call.query['account'] !== undefined) {
        throw new ApiError('OperatorOnly', 'action "import" is for operators; leave out the account parameter');
      }
      const { source } = query;
      if (source !== undefined && typeof source !== 'string') {
        throw invalidParameter('source', 'source must be one URL');
      }
      const sent = source === undefined ? await call.json() : undefined;
      if (source === undefined) assertSameUuid(sent, uuid);
      const { skip_owner_check: skipOwnerCheck = false } = query;
      const body = source === undefined ? sent : await manifestFrom(service, source, uuid, call.signal);
      const stored = await importImage(service, {
        uuid,
        body,
        channel,
        version: call.version,
        requestId: call.requestId,
        skipOwnerCheck,
        userAgent: call.headers['user-agent'],
        fromSource: source !== undefined,
        removePlaceholder: copies.removePlaceholder,
        beforeNew: (image) => assertNotInTheMaking(service, image),
      });
      call.log.info({ image: uuid, source, req_id: call.requestId }, 'image imported');
      if (source === undefined) return imageReply(service, call, stored);
      const json = serializeFull(stored.value, service.config.mode);
      return { json, headers: { Etag: imageEtag(json) } };
    },

    ActivateImage: (call) => change(call, (request) => activateImage(service, request)),
    EnableImage: (call) => change(call, (request) => setDisabled(service, request, { disabled: false })),
    DisableImage: (call) => change(call, (request) => setDisabled(service, request, { disabled: true })),

    async UpdateImage(call) {
      await writableImage(service, call);
      const { version, signal } = call;
      const body = await call.json();
      const beforeRename = (uuid: string, to: string) => assertMayRename(service, uuid, to);
      const request = { ...changeRequest(service, call), body, version, signal, beforeRename };
      return imageReply(service, call, await updateImage(service, request));
    },

    AdminChangeImageStor: (call, query) => changeStorage(service, call, query, moves),
    ExportImage: (call, query) => exportImage(service, call, query),

    async ChannelAddImage(call, _query, body) {
      await writableImage(service, call);
      const { channel: asked } = await body();
      const channel = service.config.channels?.find(({ name }) => name === asked)?.name;
      if (channel === undefined) {
        const names = service.config.channels?.map(({ name }) => name).join(', ');
        throw validationFailed('channel', `channel is ${JSON.stringify(asked)}; there are ${names}`);
      }
      return imageReply(service, call, await addToChannel(service, changeRequest(service, call), channel));
    },
  };
}

export function actionDispatch(service: Service): Dispatch<Call> {
  return {
    before(call) {
      imageUuid(call);
      channelOf(service, call, 'write');
    },
    async otherwise(call, actions) {
      // As in today's IMGAPI, whether the caller may change the image is checked before the action.
      await writableImage(service, call);
      const { action } = call.query;
      if (action === undefined || action === '') {
        throw invalidParameter('action', 'name an action', 'MissingParameter');
      }
      const names = actions.join(', ');
      throw invalidParameter('action', `action is ${JSON.stringify(action)}; it must be one of ${names}`);
    },
  };
}
