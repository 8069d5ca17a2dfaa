/** `POST /images/:uuid?action=…`: one handler per action, and what comes before each. */

import type { ImageRecord } from '#lib/manifest/record.ts';
import { ApiError, invalidParameter, validationFailed } from '../../../lib/api/errors/api-error.ts';
import { manifestFrom } from '../../datacenters/sources/fetched.ts';
import { isNotModified } from '../../http-kit/conditional.ts';
import { flag, parameters } from '../../http-kit/parameters.ts';
import { activated, withDisabled } from '../../images/activation.ts';
import { assertSameUuid, importImage } from '../../images/create.ts';
import { addToChannel } from '../../images/delete.ts';
import { assertFilePlacementSettled } from '../../images/files/file-placement.ts';
import { assertMayChange } from '../../images/record/access.ts';
import { changeImage } from '../../images/record/change.ts';
import type { StoredImage } from '../../images/record/load.ts';
import { serializeFull } from '../../images/record/serialize.ts';
import { updateImage } from '../../images/update.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Handler, Reply, Route } from '../call.ts';
import { channelOf, etagFor, imageReply, imageUuid, viewerOf, writableImage } from '../image-call.ts';
import { changeStorAction, exportAction } from './unsupported.ts';

/** What the copy engine contributes. */
export interface CopyActions {
  /** copy-from-dc, import-from-datacenter, import-remote. */
  readonly actions: Readonly<Record<string, Handler>>;
  /** Removes the rest of a failed copy, so that an import may take its place. */
  replaceFailedPlaceholder(stored: StoredImage): Promise<boolean>;
}

export function actionRoute(service: Service, copies: CopyActions): Route {
  const handlers: Readonly<Record<string, Handler>> = {
    ...copies.actions,
    import: importAction,
    activate: (call) => change(call, (record) => activated(service, record)),
    enable: (call) => change(call, (record) => withDisabled(record, false)),
    disable: (call) => change(call, (record) => withDisabled(record, true)),
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
      replaceFailedCopy: copies.replaceFailedPlaceholder,
    });
    call.log.info({ image: uuid, source, req_id: call.requestId }, 'image imported');
    return source === undefined
      ? imageReply(service, call, stored)
      : { json: serializeFull(stored.value, service.config.mode) };
  }

  async function change(call: Call, decide: (record: ImageRecord) => ImageRecord): Promise<Reply> {
    const { key: uuid } = await writableImage(service, call);
    const viewer = viewerOf(service, call);
    const assertCondition = conditionOf(call);
    await assertFilePlacementSettled(service, uuid);
    const stored = await changeImage(service, uuid, (record, current) => {
      assertMayChange(record, viewer);
      assertCondition(current);
      return decide(record);
    });
    return imageReply(service, call, stored);
  }

  async function update(call: Call): Promise<Reply> {
    const { key: uuid } = await writableImage(service, call);
    const viewer = viewerOf(service, call);
    const assertCondition = conditionOf(call);
    const stored = await updateImage(service, uuid, {
      body: await call.json(),
      account: viewer.account,
      version: call.version,
      assertCondition(current) {
        assertMayChange(current.value, viewer);
        assertCondition(current);
      },
    });
    return imageReply(service, call, stored);
  }

  async function channelAdd(call: Call): Promise<Reply> {
    const stored = await writableImage(service, call);
    const viewer = viewerOf(service, call);
    const assertCondition = conditionOf(call);
    assertCondition(stored);
    const body = (await call.json()) as { channel?: unknown } | undefined;
    const channel = service.config.channels?.find(({ name }) => name === body?.channel)?.name;
    if (channel === undefined) {
      const names = service.config.channels?.map(({ name }) => name).join(', ');
      throw validationFailed('channel', `channel is ${JSON.stringify(body?.channel)}; there are ${names}`);
    }
    const added = await addToChannel(service, stored.key, channel, (current) => {
      assertMayChange(current.value, viewer);
      assertCondition(current);
    });
    return imageReply(service, call, added);
  }

  /** Evaluated on the record that is about to be changed, so that a condition means what it says. */
  function conditionOf(call: Call): (stored: StoredImage) => void {
    return (stored) => void isNotModified(call, { etag: etagFor(service, call, stored) });
  }

  return { name: 'UpdateImage', method: 'POST', path: '/images/:uuid', auth: 'strict', handler: dispatch };
}

const importQuery = parameters({ skip_owner_check: flag });
