/** A copy from another datacenter, while it runs and afterwards. */
import { Type } from 'typebox';
import { lines, linesHeader } from '../imgapi/copies.ts';
import { CopyPlan, CopyStatus } from '../schemas/copy.ts';
import { type CloudapiOperations, imageParams, signed } from './form.ts';
import { flag, required } from './parameters.ts';

const copy = { ...signed, path: '/:account/images/:id/copy', params: imageParams, callers: ['owner'] } as const;

export const COPIES = {
  GetImageCopy: {
    ...copy,
    summary: 'Returns how far a copy is; with `plan=true`, what a copy from `datacenter` would bring.',
    method: 'GET',
    query: Type.Object({
      plan: Type.Optional(flag('Only list what a copy would bring.')),
      datacenter: Type.Optional(required('datacenter', 'For a plan: the name of the datacenter that has the image.')),
    }),
    headers: linesHeader,
    replies: [{ status: 200, json: CopyStatus }, lines, { status: 200, when: '`plan` is true', json: CopyPlan }],
    errors: ['InvalidArgument', 'MissingParameter', 'ResourceNotFound', 'ValidationFailed', 'RemoteSourceError'],
  },

  CancelImageCopy: {
    ...copy,
    summary: 'Cancels a running copy.',
    method: 'DELETE',
    replies: [{ status: 200, json: CopyStatus }],
    errors: ['ResourceNotFound', 'CopyAlreadyFinished'],
  },
} as const satisfies CloudapiOperations;
