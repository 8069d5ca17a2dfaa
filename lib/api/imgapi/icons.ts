/** The icons of images. */
import { Type } from 'typebox';
import { known, sha1 } from '../parameters.ts';
import { downloadHeaders, storedReplies, uploadHeaders } from './files.ts';
import {
  conditionHeaders,
  type ImgapiOperations,
  imageParams,
  imagePlace,
  imageQuery,
  imageReplies,
  READ_ERRORS,
  READERS,
  STORAGE_ERRORS,
  WRITE_ERRORS,
} from './form.ts';

export const ICON_TYPES = ['image/jpeg', 'image/gif', 'image/png'] as const;

const LIMIT = { byDefault: 128 * 1024, setting: 'limits.iconBytes' } as const;

const icon = { path: '/images/:uuid/icon', since: 1, params: imageParams } as const;

const addIcon = {
  ...icon,
  summary: 'Stores the icon of an image, whatever the state of the image.',
  auth: 'strict',
  callers: ['owner', 'operator'],
  query: Type.Object({
    ...imageQuery,
    storage: Type.Optional(known('Operators: the object store to put the icon in. Default: where the file is.')),
    sha1: Type.Optional(sha1('The bytes are checked against it.')),
  }),
  headers: uploadHeaders,
  body: { bytes: ICON_TYPES, limit: LIMIT },
  replies: imageReplies,
  errors: [...WRITE_ERRORS, 'QuotaExceeded', 'Upload', 'Download', 'StorageIsDown'],
} as const;

export const ICONS = {
  AddImageIcon: { ...addIcon, method: 'PUT' },

  // The IMGAPI docs once called it a POST.
  PostImageIcon: { ...addIcon, method: 'POST', deprecated: true },

  GetImageIcon: {
    ...icon,
    summary: 'Returns the icon of an image.',
    method: 'GET',
    auth: 'lenient',
    callers: READERS,
    query: Type.Object(imagePlace),
    headers: downloadHeaders,
    replies: storedReplies(ICON_TYPES),
    errors: [...READ_ERRORS, ...STORAGE_ERRORS, 'ImageFileBusy'],
  },

  DeleteImageIcon: {
    ...icon,
    summary: 'Removes the icon of an image.',
    method: 'DELETE',
    auth: 'strict',
    callers: ['owner', 'operator'],
    query: Type.Object(imageQuery),
    headers: conditionHeaders,
    replies: imageReplies,
    errors: [...WRITE_ERRORS, 'StorageIsDown'],
  },
} as const satisfies ImgapiOperations;
