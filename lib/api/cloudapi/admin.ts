/**
 * For the admin's keys only: an active image that the account in the path owns. If that account is the admin itself,
 * any image.
 */
import { Type } from 'typebox';
import { ImageV3 } from '../schemas/image.ts';
import { PullUrl } from '../schemas/pull-url.ts';
import { type CloudapiOperations, imageParams, signed } from './form.ts';
import { flag, text } from './parameters.ts';

const administration = { ...signed, method: 'GET', params: imageParams, callers: ['operator'] } as const;
const STREAM = ['application/octet-stream'] as const;

export const ADMIN = {
  AdminGetImage: {
    ...administration,
    summary: 'Returns the whole manifest of an image, as IMGAPI shows it.',
    path: '/:account/images/:id/manifest',
    replies: [{ status: 200, json: ImageV3 }],
    errors: ['ResourceNotFound', 'ImageIsNotActive'],
  },

  AdminGetImageFile: {
    ...administration,
    summary:
      'Redirects to a URL that reads the file of an image and works for less than a day, or returns the file itself.',
    path: '/:account/images/:id/file',
    query: Type.Object({
      index: Type.Optional(text('Which file, of an image with two.')),
      redirect: Type.Optional(flag('False: send the file itself.')),
    }),
    headers: Type.Object({
      range: Type.Optional(Type.String({ description: 'One range of bytes.' })),
      'if-range': Type.Optional(Type.String()),
      'if-match': Type.Optional(Type.String()),
    }),
    replies: [
      { status: 307, json: PullUrl, headers: Type.Object({ location: Type.String() }) },
      { status: 200, when: 'the file itself is wanted', bytes: STREAM },
      { status: 206, when: 'Range asks for a part', bytes: STREAM },
    ],
    errors: [
      'InvalidArgument',
      'ResourceNotFound',
      'ImageIsNotActive',
      'NotAvailable',
      'RangeNotSatisfiable',
      'PreconditionFailed',
      'StorageIsDown',
      'FileDamaged',
    ],
  },
} as const satisfies CloudapiOperations;
