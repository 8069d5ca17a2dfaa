/** Copies from other datacenters, which the destination is asked for; and their older forms, which return a job. */
import { Type } from 'typebox';
import { COPY_STATES } from '../copy-states.ts';
import { flag, integer, known, needed, oneOf, text, uuid } from '../parameters.ts';
import { CopyPlan, CopyStatus } from '../schemas/copy.ts';
import { Job, JobStarted } from '../schemas/job.ts';
import { imageAction } from './actions.ts';
import { account, accountQuery, type ImgapiOperations, imageParams, imagePlace, READ_ERRORS, READERS } from './form.ts';

const datacenter = known('The linked datacenter that has the image.');
/** Describes `finish_by`. */
export const FINISH_BY =
  'A date by which it is to have ended: it takes more of the bandwidth of the link, if it needs to.';
export const NAME_THE_OWNER = 'name the account that owns the image';
const ownerOfImage = needed(uuid('The account that owns the image.'), {
  error: 'ValidationFailed',
  missing: { kind: 'Invalid', message: NAME_THE_OWNER, also: ['empty'] },
});

/** A line for the status now and at each change, in place of one answer. */
export const lines = { status: 200, when: 'Accept is application/x-json-stream', lines: CopyStatus } as const;
export const linesHeader = Type.Object({
  accept: Type.Optional(
    Type.String({ description: '`application/x-json-stream` for a line at each change, until the copy ends.' }),
  ),
});

/** Errors of an operation that orders a copy. */
export const ORDER_ERRORS = [
  'ResourceNotFound',
  'ValidationFailed',
  'QuotaExceeded',
  'ImageUuidAlreadyExists',
  'ImageCopyInProgress',
  'OriginDoesNotExist',
  'OriginIsNotActive',
  'OriginMismatch',
  'OriginChainTooLong',
  'NotImplemented',
  'RemoteSourceError',
  'Conflict',
] as const;

/** A job was started. */
export const jobReplies = [
  {
    status: 200,
    json: JobStarted,
    headers: Type.Object({ 'workflow-api': Type.String({ description: 'Where to ask for the job.' }) }),
  },
] as const;

const copyOfImage = {
  path: '/images/:uuid/copy',
  since: 3,
  refusal: { as: 'copy' },
  auth: 'strict',
  callers: ['owner', 'operator'],
  params: imageParams,
} as const;

export const COPIES = {
  CopyImageFromDc: {
    ...imageAction,
    summary: 'Copies an image of the account from another datacenter, with any of its origins that are missing here.',
    description:
      "Starts the copy, joins one that is under way, or refreshes one that is here. The account's own origins come along, base first; other origins must already be here, and the account must see them. All images of an order become usable together. A copy outlives its request and the process that works on it.",
    action: 'copy-from-dc',
    since: 3,
    callers: ['owner'],
    query: Type.Object({
      account: ownerOfImage,
      dry_run: Type.Optional(flag('For a copy that is here, only list what a refresh would change.')),
      do_not_restart: Type.Optional(flag('Only report on the copy; never start one.')),
      finish_by: Type.Optional(text(FINISH_BY)),
      datacenter,
    }),
    headers: linesHeader,
    replies: [{ status: 200, json: CopyStatus }, lines],
    errors: ORDER_ERRORS,
  },

  ImportImageFromDatacenter: {
    ...imageAction,
    summary: 'The older form of CopyImageFromDc; returns the job that copies the image.',
    action: 'import-from-datacenter',
    since: 1,
    callers: ['owner'],
    query: Type.Object({ account: ownerOfImage, datacenter }),
    replies: jobReplies,
    errors: ORDER_ERRORS,
  },

  AdminImportRemoteImage: {
    ...imageAction,
    summary: 'Imports an image and all of its origins from another IMGAPI; returns the job that does so.',
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
      skip_owner_check: Type.Optional(flag('Accept an owner that the directory does not know.')),
      finish_by: Type.Optional(text(FINISH_BY)),
    }),
    replies: jobReplies,
    errors: [...ORDER_ERRORS, 'OperatorOnly', 'OwnerDoesNotExist'],
  },

  GetImageCopy: {
    ...copyOfImage,
    summary: 'Returns the status of the last copy of an image.',
    description: 'With `plan=true`: what a copy would bring, how many bytes, and what is already here.',
    method: 'GET',
    query: Type.Object({
      account,
      plan: Type.Optional(flag('Start nothing; return what a copy would bring.')),
      datacenter: Type.Optional(known('With `plan`: the datacenter that has the image.')),
    }),
    headers: linesHeader,
    replies: [{ status: 200, json: CopyStatus }, lines, { status: 200, when: '`plan=true`', json: CopyPlan }],
    errors: ORDER_ERRORS,
  },

  CancelImageCopy: {
    ...copyOfImage,
    summary: 'Cancels the copy of an image.',
    method: 'DELETE',
    query: accountQuery,
    replies: [{ status: 200, json: CopyStatus }],
    errors: ['ResourceNotFound', 'ImageHasDependentImages', 'CopyAlreadyFinished', 'Conflict'],
  },

  ListCopies: {
    summary: 'Lists the orders of copies, newest first.',
    method: 'GET',
    path: '/copies',
    since: 3,
    auth: 'strict',
    callers: ['operator'],
    query: Type.Object({
      account,
      state: Type.Optional(oneOf(COPY_STATES, 'Orders in this state.')),
      datacenter: Type.Optional(text('Orders from this datacenter.')),
      limit: Type.Optional(integer(1, 1000, 'At most this many; default 100.')),
    }),
    headers: linesHeader,
    replies: [{ status: 200, json: Type.Array(CopyStatus) }, lines],
    errors: ['OperatorOnly'],
  },

  GetJob: {
    summary: 'Returns the status of an import, in the form of the workflow service.',
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
    summary: 'Lists the imports of an image; only its owner and operators see any.',
    method: 'GET',
    path: '/images/:uuid/jobs',
    since: 1,
    auth: 'lenient',
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
