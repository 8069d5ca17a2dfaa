/** `POST /images/:uuid?action=…` */
import { Type } from 'typebox';
import { type ImgapiOperations, imageParams, imageQuery, WRITE_ERRORS, writeConditions } from './form.ts';
import { imageReplies } from './image-replies.ts';

/** An older server called all of them by the name of the first. */
const action = {
  method: 'POST',
  path: '/images/:uuid',
  route: 'UpdateImage',
  since: 1,
  auth: 'strict',
  callers: ['owner', 'operator'],
  params: imageParams,
} as const;

export const ACTIONS = {
  ActivateImage: {
    ...action,
    summary: 'Makes an image usable for good; it needs a file.',
    action: 'activate',
    query: Type.Object(imageQuery),
    headers: writeConditions,
    replies: imageReplies,
    errors: [...WRITE_ERRORS, 'ImageAlreadyActivated', 'NoActivationNoFile'],
  },
} as const satisfies ImgapiOperations;
