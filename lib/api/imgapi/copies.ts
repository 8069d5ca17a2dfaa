/** Copies from other datacenters, asked of the destination; and the older forms of them, which answer a job. */
import { Type } from 'typebox';
import { COPY_STATES } from '../copy-states.ts';
import { flag, integer, known, needed, oneOf, text, uuid } from '../parameters.ts';
import { CopyPlan, CopyStatus } from '../schemas/copy.ts';
import { Job, JobStarted } from '../schemas/job.ts';
import { imageAction } from './actions.ts';
import { account, accountQuery, type ImgapiOperations, imageParams, imagePlace, READ_ERRORS, READERS } from './form.ts';

const datacenter = known('Where the image is: a datacenter that is linked with this one.');
export const NAME_THE_OWNER = 'name the account that owns the image';
const ownerOfImage = needed(uuid('The account that owns the image.'), {
  error: 'ValidationFailed',
  missing: { kind: 'MissingParameter', message: NAME_THE_OWNER, also: ['empty'] },
});

const lines = { status: 200, when: 'Accept is application/x-json-stream', lines: CopyStatus } as const;
const acceptHeader = Type.Object({
  accept: Type.Optional(
    Type.String({ description: '`application/x-json-stream` for a line at each change, until the end.' }),
  ),
});

/** Of what orders a copy. */
export const ORDER_ERRORS = [
  'ResourceNotFound',
  'ValidationFailed',
  'ImageUuidAlreadyExists',
  'ImageCopyInProgress',
  'OriginDoesNotExist',
  'OriginIsNotActive',
  'OriginMismatch',
  'OriginChainTooLong',
  'NotImplemented',
  'RemoteSourceError',
  'Conflict',
  'InsufficientStorage',
] as const;

const jobReplies = [
  {
    status: 200,
    json: JobStarted,
    headers: Type.Object({ 'workflow-api': Type.String({ description: 'Where to ask for the job.' }) }),
  },
] as const;

export const COPIES = {
  CopyImageFromDc: {
    ...imageAction,
    summary: 'Copies an image of the account from another datacenter, with those of its origins that are missing.',
    description:
      "Orders the copy, attaches to it, or refreshes a copy that is here. The account's own origins come along, base first; others have to be here, and the account has to see them. All images of an order become usable together. A copy outlives its request and the process that works on it.",
    action: 'copy-from-dc',
    since: 3,
    callers: ['owner'],
    query: Type.Object({
      account: ownerOfImage,
      dry_run: Type.Optional(flag('Of a copy that is here, only list what a refresh would change.')),
      do_not_restart: Type.Optional(flag('Never begin anything.')),
      datacenter,
    }),
    headers: acceptHeader,
    replies: [{ status: 200, json: CopyStatus }, lines],
    errors: ORDER_ERRORS,
  },

  ImportImageFromDatacenter: {
    ...imageAction,
    summary: 'The older form of CopyImageFromDc; answers the job that brings the image.',
    action: 'import-from-datacenter',
    since: 1,
    callers: ['owner'],
    query: Type.Object({ account: ownerOfImage, datacenter }),
    replies: jobReplies,
    errors: ORDER_ERRORS,
  },

  AdminImportRemoteImage: {
    ...imageAction,
    summary: 'Imports an image and all of its origins from another IMGAPI; answers the job that brings them.',
    action: 'import-remote',
    since: 1,
    callers: ['operator'],
    query: Type.Object({
      ...imagePlace,
      source: needed(known('URL of the other IMGAPI.'), {
        error: 'ValidationFailed',
        missing: {
          kind: 'MissingParameter',
          message: 'name the IMGAPI to import from, by its URL',
          also: ['empty'],
        },
      }),
      skip_owner_check: Type.Optional(flag('Take an owner that the directory does not know.')),
    }),
    replies: jobReplies,
    errors: [...ORDER_ERRORS, 'OperatorOnly', 'OwnerDoesNotExist'],
  },

  GetImageCopy: {
    summary: 'Tells how the last copy of an image goes, or went.',
    description: 'With `plan=true`: what a copy would bring, how many bytes, and what is here already.',
    method: 'GET',
    path: '/images/:uuid/copy',
    since: 3,
    refusal: { as: 'copy' },
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({
      account,
      plan: Type.Optional(flag('Begin nothing: what would come?')),
      datacenter: Type.Optional(known('With `plan`: where the image is.')),
    }),
    headers: acceptHeader,
    replies: [{ status: 200, json: CopyStatus }, lines, { status: 200, when: '`plan=true`', json: CopyPlan }],
    errors: ORDER_ERRORS,
  },

  CancelImageCopy: {
    summary: 'Cancels the copy of an image.',
    method: 'DELETE',
    path: '/images/:uuid/copy',
    since: 3,
    refusal: { as: 'copy' },
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: accountQuery,
    replies: [{ status: 200, json: CopyStatus }],
    errors: ['ResourceNotFound', 'ImageHasDependentImages', 'CopyAlreadyFinished', 'Conflict'],
  },

  ListCopies: {
    summary: 'Lists the orders of copies, the newest first.',
    method: 'GET',
    path: '/copies',
    since: 3,
    auth: 'strict',
    callers: ['operator'],
    query: Type.Object({
      account,
      state: Type.Optional(oneOf(COPY_STATES, 'Orders in this state.')),
      datacenter: Type.Optional(text('Orders from this datacenter.')),
      limit: Type.Optional(integer(1, 1000, 'At most so many; default 100.')),
    }),
    headers: acceptHeader,
    replies: [{ status: 200, json: Type.Array(CopyStatus) }, lines],
    errors: ['OperatorOnly'],
  },

  GetJob: {
    summary: 'Tells how an import goes, in the form of the workflow service.',
    method: 'GET',
    path: '/jobs/:uuid',
    since: 1,
    auth: 'none',
    callers: ['nobody', 'owner', 'operator'],
    params: Type.Object({ uuid: uuid('The job.') }),
    query: accountQuery,
    replies: [{ status: 200, json: Job }],
    errors: ['ResourceNotFound'],
  },

  ListImageJobs: {
    summary: 'Lists the imports of an image; only its owner and operators are shown any.',
    method: 'GET',
    path: '/images/:uuid/jobs',
    since: 1,
    auth: 'passive',
    callers: READERS,
    params: imageParams,
    query: Type.Object({
      ...imagePlace,
      task: Type.Optional(text('Only jobs of this task.')),
      execution: Type.Optional(text('Only jobs in this state.')),
    }),
    replies: [{ status: 200, json: Type.Array(Job) }],
    errors: READ_ERRORS,
  },
} as const satisfies ImgapiOperations;
