/** Images as a whole. */
import { Type } from 'typebox';
import { etagHeader, type ImgapiOperations, imageParams, imageQuery, READ_ERRORS, writeConditions } from './form.ts';
import { imageReplies } from './image-replies.ts';

export const IMAGES = {
  GetImage: {
    summary: 'Answers the manifest of an image.',
    description: '`If-None-Match` answers 304; on writes `If-Match` guards against overwriting a change (412).',
    method: 'GET',
    path: '/images/:uuid',
    since: 1,
    auth: 'passive',
    callers: ['nobody', 'stranger', 'sharee', 'owner', 'operator'],
    params: imageParams,
    query: Type.Object(imageQuery),
    headers: writeConditions,
    replies: [...imageReplies, { status: 304, when: 'If-None-Match names the tag', headers: etagHeader }],
    errors: [...READ_ERRORS, 'PreconditionFailed'],
  },
} as const satisfies ImgapiOperations;
