/** `POST /images/:uuid?action=…`, except the actions that order a copy, which are in `copies.ts`. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { flag, known, needed } from '../parameters.ts';
import { ImageV2, ImageV3, Manifest } from '../schemas/image.ts';
import { ExportedImage } from '../schemas/service.ts';
import {
  conditionHeaders,
  etagHeader,
  type ImgapiOperations,
  imageParams,
  imagePlace,
  imageQuery,
  imageReplies,
  WRITE_ERRORS,
} from './form.ts';

/** An older server had one name for all of them. */
export const imageAction = {
  method: 'POST',
  path: '/images/:uuid',
  route: 'UpdateImage',
  auth: 'strict',
  params: imageParams,
} as const;

/** An action that changes only the record. */
const change = {
  ...imageAction,
  since: 1,
  callers: ['owner', 'operator'],
  query: Type.Object(imageQuery),
  headers: conditionHeaders,
  replies: imageReplies,
} as const;

function place(message: string) {
  const missing = { kind: 'MissingParameter', message, also: ['empty', 'no text'] } as const;
  return { error: 'ValidationFailed', missing } as const;
}

export const ACTIONS = {
  AdminImportImage: {
    ...imageAction,
    summary: 'Creates an image from a manifest that already has a UUID and a date of publication.',
    description: 'With `source`, the manifest is fetched from another IMGAPI.',
    action: 'import',
    since: 1,
    callers: ['operator'],
    query: Type.Object({
      ...imageQuery,
      source: Type.Optional(known('URL of another IMGAPI that has the image; the request then has no body.')),
      skip_owner_check: Type.Optional(flag('Accept an owner that the directory does not know.')),
    }),
    body: { json: Manifest, optional: true },
    replies: [...imageReplies, { status: 200, when: '`source` is given', json: ImageV3, headers: etagHeader }],
    errors: [
      ...BODY_ERRORS,
      'ResourceNotFound',
      'ValidationFailed',
      'OperatorOnly',
      'ImageUuidAlreadyExists',
      'OwnerDoesNotExist',
      'OriginDoesNotExist',
      'OriginIsNotActive',
      'OriginChainTooLong',
      'RemoteSourceError',
      'Conflict',
    ],
  },

  ActivateImage: {
    ...change,
    summary: 'Makes an image usable and its file final; the image needs a file.',
    action: 'activate',
    errors: [...WRITE_ERRORS, 'ImageAlreadyActivated', 'NoActivationNoFile'],
  },

  EnableImage: {
    ...change,
    summary: 'Allows new instances of an image again.',
    action: 'enable',
    errors: WRITE_ERRORS,
  },

  DisableImage: {
    ...change,
    summary: 'Allows no new instances of an image.',
    action: 'disable',
    errors: WRITE_ERRORS,
  },

  UpdateImage: {
    ...change,
    summary: 'Changes fields of an image; null removes a field.',
    description:
      'An account may give its image away (`owner`); an image that builds on another one loses its shares then. Operators may also change `state`, `error`, `billing_tags`, `traits`, and before activation `origin`, the digests in `files`, and `uuid`: then the image is answered under its new name, and its file lies there. They may set `state` to `failed` (with an `error`) and back; a state that the image would not show afterwards is refused.',
    action: 'update',
    body: { json: Manifest },
    errors: [
      ...BODY_ERRORS,
      ...WRITE_ERRORS,
      'QuotaExceeded',
      'ImageUuidAlreadyExists',
      'ImageHasDependentImages',
      'NotImplemented',
      'StorageIsDown',
      'FileDamaged',
      'OwnerDoesNotExist',
      'OriginDoesNotExist',
      'OriginIsNotActive',
      'OriginChainTooLong',
    ],
  },

  AdminChangeImageStor: {
    ...imageAction,
    summary: 'Moves the files and the icon of an image to another object store; answers when they are there.',
    description:
      'The image can be read all the time. The move goes on if the client leaves; asking again waits for it, or for what a process that died has left to be finished.',
    action: 'change-stor',
    since: 1,
    callers: ['operator'],
    query: Type.Object({
      ...imagePlace,
      stor: needed(Type.String({ description: 'Name of the object store.' }), place('name the storage to move to')),
    }),
    headers: conditionHeaders,
    replies: [{ status: 200, json: ImageV2, headers: etagHeader }],
    errors: [...WRITE_ERRORS, 'OperatorOnly', 'StorageIsDown', 'FileDamaged'],
  },

  ExportImage: {
    ...imageAction,
    summary: 'Writes the file and the manifest of an image to Manta.',
    action: 'export',
    since: 1,
    callers: ['owner', 'operator'],
    query: Type.Object({
      ...imagePlace,
      manta_path: needed(
        Type.String({ description: 'A path below `/LOGIN/`: a directory, or what both names begin with.' }),
        {
          error: 'ValidationFailed',
          missing: { kind: 'MissingParameter', message: 'name the Manta path to export to', also: ['no text'] },
        },
      ),
    }),
    headers: conditionHeaders,
    replies: [{ status: 200, json: ExportedImage }],
    errors: [
      ...WRITE_ERRORS,
      'StorageUnsupported',
      'StorageIsDown',
      'FileDamaged',
      'NotImplemented',
      'AccountDoesNotExist',
      'NotMantaPathOwner',
    ],
  },

  ChannelAddImage: {
    ...change,
    summary: 'Adds an image to another channel.',
    action: 'channel-add',
    where: 'channels',
    body: { json: Type.Object({ channel: Type.String({ description: 'Name of the channel.' }) }), check: 'fields' },
    errors: [...BODY_ERRORS, ...WRITE_ERRORS],
  },
} as const satisfies ImgapiOperations;
