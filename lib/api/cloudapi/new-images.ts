/** `POST /:account/images`: an image of a machine, and images from other datacenters. */
import { Type } from 'typebox';
import { FINISH_BY, lines, linesHeader, ORDER_ERRORS } from '../imgapi/copies.ts';
import { MADE_IMAGES } from '../imgapi/made-images.ts';
import { CopyStatus } from '../schemas/copy.ts';
import { ACCOUNTS, accountParams, type CloudapiOperations, imageReplies, PARAMETER_ERRORS, signed } from './form.ts';
import { flag, required, text, value } from './parameters.ts';

const create = { ...signed, method: 'POST', path: '/:account/images', params: accountParams } as const;

const SOURCE = {
  datacenter: required('datacenter', 'The name of the datacenter that has the image.'),
  id: value('The UUID of the image.'),
};

const orderErrors = [...PARAMETER_ERRORS, 'MissingParameter', ...ORDER_ERRORS] as const;

const machine = Type.Object({
  machine: required('machine', 'The UUID of the machine to make an image of.'),
  name: required('Image name', 'The name of the image.'),
  version: required('Image version', 'The version of the image.'),
  incremental: Type.Optional(
    flag('False: do not build on the image that the machine was made of. By default it does.'),
  ),
  description: Type.Optional(value('As UpdateImage has it.')),
  homepage: Type.Optional(value('URL.')),
  eula: Type.Optional(value("URL of the user's licence.")),
  acl: Type.Optional(value('Whom it is shared with: UUIDs and logins.')),
  tags: Type.Optional(value('By name.')),
});

const copy = Type.Object({
  ...SOURCE,
  dry_run: Type.Optional(flag('For a copy that is here already: only list what a refresh would change.')),
  do_not_restart: Type.Optional(flag('Do not start anything.')),
  finish_by: Type.Optional(text(FINISH_BY)),
});

const bring = Type.Object(SOURCE);

export const NEW_IMAGES = {
  CreateImageFromMachine: {
    ...create,
    summary: 'Makes an image of a machine of the account.',
    isDefaultAction: true,
    callers: ACCOUNTS,
    query: machine,
    body: { json: machine, optional: true },
    replies: imageReplies.map((reply) => ({
      ...reply,
      status: 201,
      headers: Type.Object({
        location: Type.String({ description: 'Path of the image.' }),
        'x-joyent-jobid': Type.String({ description: 'The job that makes it.' }),
      }),
    })),
    errors: [...new Set([...PARAMETER_ERRORS, 'MissingParameter', ...MADE_IMAGES.CreateImageFromVm.errors] as const)],
  },

  ImportImageFromDatacenter: {
    ...create,
    summary: 'Copies an image of the account from another datacenter, and answers when it is here.',
    description: 'The copy continues if the client leaves. Of an image that was copied already, it answers that.',
    action: 'import-from-datacenter',
    callers: ['owner'],
    query: bring,
    body: { json: bring, optional: true },
    replies: imageReplies,
    errors: [...orderErrors, 'ImageCopyFailed', 'ImageCopyCanceled'],
  },

  CopyImageFromDc: {
    ...create,
    summary: 'Copies an image of the account from another datacenter, with the origins that are missing here.',
    description: 'The answer comes once the copy is ordered.',
    action: 'copy-from-dc',
    callers: ['owner'],
    query: copy,
    headers: linesHeader,
    body: { json: copy, optional: true },
    replies: [{ status: 200, json: CopyStatus }, lines],
    errors: orderErrors,
  },
} as const satisfies CloudapiOperations;
