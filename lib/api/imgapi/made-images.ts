/** Images that are made from something else than a manifest: from a machine, or from what another kind of registry has. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { flag, integer, known, needed, text, uuid, verbatim } from '../parameters.ts';
import { Manifest } from '../schemas/image.ts';
import { PushedImage } from '../schemas/registry.ts';
import { jobReplies } from './copies.ts';
import { account, type ImgapiOperations, imageParams, imagePlace, WRITE_ERRORS } from './form.ts';

/** An older server had one name for all of them. */
const making = { method: 'POST', path: '/images', route: 'CreateImage', since: 1, auth: 'strict' } as const;

const NOT_HERE = 'Answered with 501 once everything about the request is right: this server does not speak with';

const registryHeaders = {
  'x-registry-auth': Type.Optional(
    Type.String({ description: 'Base64 of a JSON object with `username` and `password`.' }),
  ),
};

export const MADE_IMAGES = {
  CreateImageFromVm: {
    ...making,
    summary: 'Creates an image from a machine, by way of the node that it is on; returns the job that does so.',
    description:
      'The image is there at once, in state `creating`. The node brings its manifest and file and activates it; if that fails, its state is `failed`, and `error` says why. Deleting it before ends the job. Shares by login are added when it is there.',
    action: 'create-from-vm',
    callers: ['stranger', 'operator'],
    query: Type.Object({
      ...imagePlace,
      // What is wrong with it has another code than that it is missing.
      vm_uuid: Type.Optional(uuid('The machine; must be given, and be one of `account`, if there is that.')),
      incremental: Type.Optional(flag('Store only what differs from the image that the machine was made of.')),
      max_origin_depth: Type.Optional(
        integer(2, 1_000_000, 'Of an incremental image: at most so many images in its chain, itself among them.'),
      ),
    }),
    body: { json: Manifest },
    replies: jobReplies,
    errors: [
      ...BODY_ERRORS,
      'ValidationFailed',
      'QuotaExceeded',
      'ResourceNotFound',
      'InsufficientServerVersion',
      'OwnerDoesNotExist',
      'OriginDoesNotExist',
      'OriginIsNotActive',
      'OriginChainTooLong',
      'ImageUuidAlreadyExists',
      'NotAvailable',
      'Conflict',
    ],
  },

  AdminImportDockerImage: {
    ...making,
    summary: 'Imports an image from a Docker registry: not available here.',
    description: `${NOT_HERE} Docker registries.`,
    action: 'import-docker-image',
    callers: ['operator'],
    query: Type.Object({
      ...imagePlace,
      repo: Type.Optional(verbatim('The repository, with its registry in front if that is not Docker Hub.')),
      tag: Type.Optional(text('The tag.')),
      digest: Type.Optional(text('The digest, in place of a tag.')),
      public: Type.Optional(flag('Whether the image becomes public; default `true`.')),
    }),
    headers: Type.Object({
      ...registryHeaders,
      'x-registry-config': Type.Optional(
        Type.String({ description: 'Base64 of a JSON object with the same for each registry by its name.' }),
      ),
    }),
    replies: [],
    errors: ['ValidationFailed', 'OperatorOnly', 'NotImplemented', 'NotAvailable'],
  },

  AdminImportLxdImage: {
    ...making,
    summary: 'Imports an image from a registry of LXD: not available here.',
    description: `${NOT_HERE} registries of LXD.`,
    action: 'import-lxd-image',
    callers: ['operator'],
    query: Type.Object({
      ...imagePlace,
      alias: Type.Optional(known('`REGISTRY:IMAGE`.')),
    }),
    replies: [],
    errors: ['ValidationFailed', 'OperatorOnly', 'NotAvailable'],
  },

  AdminPushDockerImage: {
    summary: 'Pushes an image of type `docker` to a Docker registry: not available here.',
    description: `${NOT_HERE} Docker registries.`,
    method: 'POST',
    path: '/images/:uuid/push',
    since: 1,
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({
      account,
      repoAndTag: needed(text('Where to push it.'), {
        error: 'ValidationFailed',
        missing: { kind: 'MissingParameter', message: 'say where to push the image, as REPOSITORY:TAG' },
      }),
    }),
    headers: Type.Object(registryHeaders),
    body: { json: PushedImage },
    replies: [],
    errors: [...BODY_ERRORS, ...WRITE_ERRORS, 'NotImplemented', 'NotAvailable'],
  },
} as const satisfies ImgapiOperations;
