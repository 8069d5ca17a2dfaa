/** `POST /images/:uuid?action=…`: one handler per action, and what comes before each. */

import { ApiError, invalidParameter, validationFailed } from '../../../lib/api/errors/api-error.ts';
import { manifestFrom } from '../../datacenters/sources/fetched.ts';
import { flag, parameters } from '../../http-kit/parameters.ts';
import { activateImage, setDisabled } from '../../images/activation.ts';
import { assertSameUuid, importImage } from '../../images/create.ts';
import { addToChannel } from '../../images/delete.ts';
import type { ChangeRequest } from '../../images/record/change.ts';
import type { StoredImage } from '../../images/record/load.ts';
import { serializeFull } from '../../images/record/serialize.ts';
import { updateImage } from '../../images/update.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Handler, Reply, Route } from '../call.ts';
import { channelOf, conditionalChange, imageReply, imageUuid, writableImage } from '../image-call.ts';
import { changeStorAction, exportAction } from './unsupported.ts';

/** What the copy engine contributes. */
export interface CopyActions {
  /** copy-from-dc, import-from-datacenter, import-remote. */
  readonly actions: Readonly<Record<string, Handler>>;
  /** Removes the rest of a failed copy, so that an import may take its place. */
  removePlaceholder(placeholder: StoredImage): Promise<void>;
}

export function actionRoute(service: Service, copies: CopyActions): Route {
  const handlers: Readonly<Record<string, Handler>> = {
    ...copies.actions,
    import: importAction,
    activate: (call) => change(call, (request) => activateImage(service, request)),
    enable: (call) => change(call, (request) => setDisabled(service, request, { disabled: false })),
    disable: (call) => change(call, (request) => setDisabled(service, request, { disabled: true })),
    update,
    'change-stor': (call) => changeStorAction(service, call),
    export: (call) => exportAction(service, call),
    ...(service.config.channels ? { 'channel-add': channelAdd } : {}),
  };

  async function dispatch(call: Call): Promise<Reply> {
    imageUuid(call);
    channelOf(service, call, 'write');
    const { action } = call.query;
    const handler = typeof action === 'string' && Object.hasOwn(handlers, action) ? handlers[action] : undefined;
    if (handler) return handler(call);
    // As ever, what the image is to the caller comes before what is wrong with the action.
    await writableImage(service, call);
    if (action === undefined || action === '') {
      throw invalidParameter('action', 'name an action', 'MissingParameter');
    }
    const names = Object.keys(handlers).join(', ');
    throw invalidParameter('action', `action is ${JSON.stringify(action)}; it must be one of ${names}`);
  }

  async function importAction(call: Call): Promise<Reply> {
    const uuid = imageUuid(call);
    const channel = channelOf(service, call, 'write');
    if (call.query['account'] !== undefined) {
      throw new ApiError('OperatorOnly', 'action "import" is for operators; leave out the account parameter');
    }
    const { source } = call.query;
    if (source !== undefined && typeof source !== 'string') throw invalidParameter('source', 'source must be one URL');
    const sent = source === undefined ? await call.json() : undefined;
    if (source === undefined) assertSameUuid(sent, uuid);
    const { skip_owner_check: skipOwnerCheck = false } = importQuery(call.query);
    const body = source === undefined ? sent : await manifestFrom(service, source, uuid, call.signal);
    const stored = await importImage(service, {
      uuid,
      body,
      channel,
      version: call.version,
      skipOwnerCheck,
      fromSource: source !== undefined,
      removePlaceholder: copies.removePlaceholder,
    });
    call.log.info({ image: uuid, source, req_id: call.requestId }, 'image imported');
    return source === undefined
      ? imageReply(service, call, stored)
      : { json: serializeFull(stored.value, service.config.mode) };
  }

  async function change(call: Call, act: (request: ChangeRequest) => Promise<StoredImage>): Promise<Reply> {
    await writableImage(service, call);
    return imageReply(service, call, await act(conditionalChange(service, call)));
  }

  async function update(call: Call): Promise<Reply> {
    await writableImage(service, call);
    const request = { ...conditionalChange(service, call), body: await call.json(), version: call.version };
    return imageReply(service, call, await updateImage(service, request));
  }

  async function channelAdd(call: Call): Promise<Reply> {
    const stored = await writableImage(service, call);
    const request = conditionalChange(service, call);
    request.condition?.(stored);
    const body = (await call.json()) as { channel?: unknown } | undefined;
    const channel = service.config.channels?.find(({ name }) => name === body?.channel)?.name;
    if (channel === undefined) {
      const names = service.config.channels?.map(({ name }) => name).join(', ');
      throw validationFailed('channel', `channel is ${JSON.stringify(body?.channel)}; there are ${names}`);
    }
    return imageReply(service, call, await addToChannel(service, request, channel));
  }

  return { name: 'UpdateImage', method: 'POST', path: '/images/:uuid', auth: 'strict', handler: dispatch };
}

const importQuery = parameters({ skip_owner_check: flag });
