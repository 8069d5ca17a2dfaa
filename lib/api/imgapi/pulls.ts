/** URLs that read a file's bytes without credentials. */
import { Type } from 'typebox';
import { integer, uuid } from '../parameters.ts';
import { PullUrl } from '../schemas/pull-url.ts';
import { downloadHeaders, storedReplies } from './files.ts';
import { account, type ImgapiOperations, imageParams, STORAGE_ERRORS } from './form.ts';

export const pullUrlQuery = Type.Object({
  account,
  index: Type.Optional(integer(0, 1, 'Which file, for an image that has two.')),
  renew: Type.Optional(uuid('`reqid` of an earlier answer, for a new URL to the same bytes.')),
});

export const pullUrlErrors = ['FileDamaged', 'ResourceNotFound', 'NotAvailable', 'Conflict', 'StorageIsDown'] as const;

/** Also on the link listener. */
export const PULL_LINK = {
  GetPullLink: {
    summary:
      'Returns the bytes of a file to anyone who has the URL, until it expires, even after the image was deleted.',
    method: 'GET',
    path: '/pulls/:day/:name',
    since: 1,
    auth: 'none',
    callers: ['nobody', 'stranger', 'sharee', 'owner', 'operator', 'datacenter'],
    params: Type.Object({
      day: Type.String({ description: '`YYYYMMDD`.' }),
      name: Type.String({ description: '`UUID.fileN.REQID`.' }),
    }),
    headers: downloadHeaders,
    replies: storedReplies(['application/octet-stream']),
    errors: ['ResourceNotFound', ...STORAGE_ERRORS],
  },
} as const satisfies ImgapiOperations;

export const PULLS = {
  CreateImageFilePullUrl: {
    summary: 'Creates a URL that reads the file of an image without credentials until it expires.',
    method: 'POST',
    path: '/images/:uuid/file/pull-url',
    since: 1,
    auth: 'strict',
    callers: ['operator'],
    params: imageParams,
    query: pullUrlQuery,
    replies: [{ status: 200, json: PullUrl }],
    errors: ['OperatorOnly', ...pullUrlErrors],
  },
  ...PULL_LINK,
} as const satisfies ImgapiOperations;
