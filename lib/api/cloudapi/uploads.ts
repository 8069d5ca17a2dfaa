/**
 * Images of files that an account brings itself, served only where `uploads` is on: a record that is not active, an upload
 * of its file that survives its connection, and its activation.
 */
import { Type } from 'typebox';
import { IMAGES } from '../imgapi/images.ts';
import { UPLOADS as IMGAPI_UPLOADS } from '../imgapi/uploads.ts';
import {
  ACCOUNTS,
  accountParams,
  type CloudapiOperations,
  imageParams,
  imageReplies,
  PARAMETER_ERRORS,
  signed,
  WRITE_ERRORS,
} from './form.ts';
import { required, value } from './parameters.ts';

const uploads = {
  ...signed,
  path: '/:account/images/:id/uploads',
  params: imageParams,
  callers: ['owner', 'operator'],
} as const;
const upload = {
  ...uploads,
  path: '/:account/images/:id/uploads/:upload',
  params: Type.Object({ ...imageParams.properties, upload: Type.String({ description: 'UUID of the upload.' }) }),
} as const;

const { BeginImageUpload, GetImageUpload, AppendImageUpload } = IMGAPI_UPLOADS;
const appended = AppendImageUpload.replies[0].headers.properties;

/** IMGAPI's, but for those of what only operators may ask for. */
const uploadErrors = [
  ...WRITE_ERRORS,
  'ValidationFailed',
  'QuotaExceeded',
  'ImageFilesImmutable',
  'ImageAlreadyActivated',
  'Upload',
  'StorageIsDown',
] as const;

/** What an account says of an image that it brings. Who may set other fields is nobody but the operator, or the server. */
const manifest = Type.Object({
  name: required('Image name', 'The name of the image.'),
  version: required('Image version', 'The version of the image.'),
  type: required('Image type', 'Form of the file, such as `zone-dataset`, `lx-dataset` or `zvol`.'),
  os: required('Image os', 'The operating system.'),
  description: Type.Optional(value('As UpdateImage has it.')),
  homepage: Type.Optional(value('URL.')),
  eula: Type.Optional(value("URL of the user's licence.")),
  acl: Type.Optional(value('Whom it is shared with once it is active: UUIDs and logins.')),
  tags: Type.Optional(value('By name.')),
  origin: Type.Optional(value('UUID of the image that this one builds on, which the account must be able to use.')),
  requirements: Type.Optional(value('Of machines that are made of it.')),
  users: Type.Optional(value('Whose passwords are made: `[{"name": LOGIN}]`.')),
  generate_passwords: Type.Optional(value('Whether passwords are made.')),
  inherited_directories: Type.Optional(value('Paths.')),
  nic_driver: Type.Optional(value('Only of type zvol.')),
  disk_driver: Type.Optional(value('Only of type zvol.')),
  cpu_type: Type.Optional(value('Only of type zvol.')),
  image_size: Type.Optional(value('Size of the disk in MiB; only of type zvol.')),
  v: Type.Optional(value('Must be 2.')),
  owner: Type.Optional(value('Must be the account itself.')),
  public: Type.Optional(value('Must be false.')),
});

export const UPLOADS = {
  CreateImageFromFile: {
    ...signed,
    summary: 'Makes a private image of the account, which waits for its file and its activation.',
    description:
      'Only where `uploads` is on. What else a manifest can have is refused. Whoever asks again with the same `Idempotency-Key`, since the answer was lost, gets the image that was made before. BeginImageUpload comes next.',
    method: 'POST',
    path: '/:account/images',
    action: 'create-from-file',
    params: accountParams,
    callers: ACCOUNTS,
    query: manifest,
    headers: IMAGES.CreateImage.headers,
    body: { json: manifest, optional: true },
    replies: imageReplies.map((reply) => ({
      ...reply,
      status: 201,
      headers: Type.Object({ location: Type.String({ description: 'Path of the image.' }) }),
    })),
    errors: [...new Set([...PARAMETER_ERRORS, 'MissingParameter', ...IMAGES.CreateImage.errors] as const)],
  },

  ActivateImage: {
    ...signed,
    summary: 'Makes an image of the account usable and its file final.',
    description: 'Only where `uploads` is on.',
    method: 'POST',
    path: '/:account/images/:id',
    route: 'UpdateImage',
    action: 'activate',
    params: imageParams,
    callers: ['owner', 'operator'],
    replies: imageReplies,
    errors: [...PARAMETER_ERRORS, ...WRITE_ERRORS, 'ImageAlreadyActivated', 'NoActivationNoFile'],
  },

  BeginImageUpload: {
    ...uploads,
    summary: BeginImageUpload.summary,
    description: `Only where \`uploads\` is on. ${BeginImageUpload.description}`,
    method: 'POST',
    query: Type.Object({
      compression: required('compression', 'How the bytes are compressed: `none`, `gzip`, `bzip2` or `xz`.'),
      sha1: required('sha1', 'SHA-1 of the whole file, which its bytes are compared with.'),
    }),
    headers: Type.Object({ 'upload-length': BeginImageUpload.headers.properties['upload-length'] }),
    replies: BeginImageUpload.replies,
    errors: [...uploadErrors, 'InvalidArgument', 'MissingParameter', 'UploadInProgress'],
  },

  GetImageUpload: {
    ...upload,
    summary: GetImageUpload.summary,
    description: 'Only where `uploads` is on.',
    method: 'GET',
    replies: GetImageUpload.replies,
    errors: [...WRITE_ERRORS, 'ImageFilesImmutable'],
  },

  AppendImageUpload: {
    ...upload,
    summary: AppendImageUpload.summary,
    description: `Only where \`uploads\` is on. ${AppendImageUpload.description}`,
    method: 'PATCH',
    headers: Type.Object({ 'upload-offset': AppendImageUpload.headers.properties['upload-offset'] }),
    body: AppendImageUpload.body,
    replies: [
      ...imageReplies.map((reply) => ({
        ...reply,
        when: 'the image has its file',
        headers: Type.Object({ 'upload-complete': appended['upload-complete'] }),
      })),
      AppendImageUpload.replies[1],
    ],
    errors: [...uploadErrors, 'UploadInProgress', 'UploadOffsetMismatch', 'UnsupportedMediaType'],
  },

  CancelImageUpload: {
    ...upload,
    summary: IMGAPI_UPLOADS.CancelImageUpload.summary,
    description: 'Only where `uploads` is on.',
    method: 'DELETE',
    replies: [{ status: 204 }],
    errors: WRITE_ERRORS,
  },
} as const satisfies CloudapiOperations;
