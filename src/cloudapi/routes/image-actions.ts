/** `POST /:account/images/:id?action=…`: UpdateImage, ShareImage, UnshareImage, CloneImage, ExportImage. */
import { isDeepStrictEqual } from 'node:util';
import type { Reply } from '../../http-kit/call.ts';
import { auditShare } from '../audit.ts';
import { CloudapiError, invalid, missing } from '../errors.ts';
import { imageReply } from '../reply.ts';
import { type CloudapiRoute, imageId, optionalText, type Parameters, parametersOf, type Request } from '../request.ts';

export const imageActionRoute: CloudapiRoute = {
  name: 'UpdateImage',
  method: 'POST',
  path: '/:account/images/:id',
  handler: dispatch,
};

type Action = (request: Request, id: string, parameters: Parameters) => Promise<Reply>;

const ACTIONS: Readonly<Record<string, Action>> = { update, share, unshare, clone, export: exportImage };

async function dispatch(request: Request): Promise<Reply> {
  const id = imageId(request);
  const parameters = await parametersOf(request);
  const name = optionalText(parameters, 'action');
  const names = Object.keys(ACTIONS).join(', ');
  if (name === undefined) throw missing('action', `one of ${names}`);
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action) throw invalid('action', name, `one of ${names}`);
  return action(request, id, parameters);
}

const UPDATABLE = ['name', 'version', 'description', 'homepage', 'eula', 'acl', 'tags'];

/** A client may send back the whole image that it read; what it may not change must then be as it was. */
const FIXED = ['owner', 'public'] as const;

async function update(request: Request, id: string, parameters: Parameters): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  const acl = aclOf(parameters);
  const given = { ...parameters, acl };
  const fields = Object.fromEntries(
    Object.entries(given).filter(([name, value]) => UPDATABLE.includes(name) && value !== undefined),
  );
  await assertUnchanged(request, id, parameters);
  const image = await cloudapi.imgapi.updateImage(id, fields, onBehalf);
  if (acl !== undefined) auditShare(request, 'acl', id, acl);
  return imageReply(request, image);
}

/** `shared_with` is another name of the same list. */
function aclOf({ acl, shared_with: sharedWith }: Parameters): unknown {
  if (acl !== undefined && sharedWith !== undefined && !isDeepStrictEqual(acl, sharedWith)) {
    throw invalid('shared_with', sharedWith, 'the same as acl, which is another name of it; send one of them');
  }
  return acl === undefined ? sharedWith : acl;
}

async function assertUnchanged(request: Request, id: string, parameters: Parameters): Promise<void> {
  if (FIXED.every((field) => parameters[field] === undefined)) return;
  const image = await request.cloudapi.imgapi.getImage(id, request.onBehalf);
  for (const field of FIXED) {
    const value = parameters[field];
    if (value === undefined || String(value) === String(image[field])) continue;
    throw invalid(field, value, `${image[field]}, as it is: it cannot be changed`);
  }
}

async function share(request: Request, id: string, parameters: Parameters): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  const entry = entryOf(parameters);
  const image = await cloudapi.imgapi.addAcl(id, [entry], onBehalf);
  auditShare(request, 'share', id, [entry]);
  return imageReply(request, image);
}

/** By the owner; or by an account that the image is shared with, which ends its own access. */
async function unshare(request: Request, id: string, parameters: Parameters): Promise<Reply> {
  const { cloudapi, onBehalf, account } = request;
  const entry = entryOf(parameters);
  const { owner } = await cloudapi.imgapi.getImage(id, onBehalf);
  const isLeaving = owner !== account.uuid && (entry === account.login || entry === account.uuid);
  const image = await cloudapi.imgapi.removeAcl(id, [isLeaving ? account.uuid : entry], onBehalf);
  auditShare(request, isLeaving ? 'leave' : 'unshare', id, [entry]);
  return image ? imageReply(request, image) : { status: 204 };
}

function entryOf(parameters: Parameters): string {
  const { account } = parameters;
  if (account === undefined || account === '') throw missing('account', 'the login or UUID of an account');
  if (typeof account === 'string') return account;
  throw invalid('account', account, 'the login or UUID of one account');
}

async function clone(request: Request, id: string): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  return imageReply(request, await cloudapi.imgapi.cloneImage(id, onBehalf));
}

async function exportImage(request: Request, id: string, parameters: Parameters): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  const path = optionalText(parameters, 'manta_path');
  if (path === undefined) {
    throw new CloudapiError('MissingParameter', 'Image destination manta_path is a required argument');
  }
  return { json: await cloudapi.imgapi.exportImage(id, path, onBehalf) };
}
