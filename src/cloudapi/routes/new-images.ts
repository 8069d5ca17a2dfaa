/** `POST /:account/images`: CreateImageFromMachine, CopyImageFromDc, ImportImageFromDatacenter. */

import type { JobStarted } from '#lib/api/schemas/job.ts';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Reply } from '../../http-kit/call.ts';
import { invalid, missing } from '../errors.ts';
import { imageReply, JSON_LINES, passedOn, wantsLines } from '../reply.ts';
import {
  type CloudapiRoute,
  optionalFlag,
  optionalText,
  type Parameters,
  parametersOf,
  type Request,
} from '../request.ts';
import { waitForCopy } from '../wait-for-copy.ts';

export const newImageRoute: CloudapiRoute = {
  name: 'CreateImageFromMachine',
  method: 'POST',
  path: '/:account/images',
  handler: dispatch,
};

const ACTIONS = { 'import-from-datacenter': importFromDatacenter, 'copy-from-dc': copyFromDc } as const;

async function dispatch(request: Request): Promise<Reply> {
  const parameters = await parametersOf(request);
  const action = optionalText(parameters, 'action');
  if (action === undefined) return createFromMachine(request, parameters);
  if (action === 'import-from-datacenter' || action === 'copy-from-dc') return ACTIONS[action](request, parameters);
  throw invalid('action', action, `one of ${Object.keys(ACTIONS).join(', ')}, or left out`);
}

const MANIFEST_FIELDS = ['description', 'homepage', 'eula', 'acl', 'tags'];

async function createFromMachine(request: Request, parameters: Parameters): Promise<Reply> {
  const { cloudapi, onBehalf, account } = request;
  const machine = required(parameters, 'machine', 'the UUID of the machine to make an image of');
  const name = required(parameters, 'name', 'the name of the image');
  const version = required(parameters, 'version', 'the version of the image');
  const others = MANIFEST_FIELDS.filter((field) => parameters[field] !== undefined);
  const fields = { name, version, ...Object.fromEntries(others.map((field) => [field, parameters[field]])) };
  const job: JobStarted = await cloudapi.imgapi.createImageFromVm(
    fields,
    { vmUuid: machine, incremental: true },
    onBehalf,
  );
  const reply = imageReply(request, { ...fields, uuid: job.image_uuid, state: 'creating' });
  const headers = {
    Location: `${basePathOf(cloudapi.config.publicUrl)}/${account.login}/images/${job.image_uuid}`,
    'x-joyent-jobid': job.job_uuid,
  };
  return { ...reply, status: 201, headers };
}

/** The image is on its way when this is answered; with `Accept: application/x-json-stream` the answer follows it. */
async function copyFromDc(request: Request, parameters: Parameters): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  const { datacenter, id } = sourceOf(parameters);
  const query = {
    action: 'copy-from-dc',
    datacenter,
    dry_run: optionalFlag(parameters, 'dry_run'),
    do_not_restart: optionalFlag(parameters, 'do_not_restart'),
  };
  const order = { method: 'POST', path: `/images/${id}`, query } as const;
  if (!wantsLines(request)) return { json: await cloudapi.imgapi.call(order, onBehalf) };
  const lines = { ...order, headers: { accept: JSON_LINES } };
  return passedOn(await cloudapi.imgapi.send(lines, onBehalf), ['content-type']);
}

/** Answers when the image is here. The copy goes on if the client leaves. */
async function importFromDatacenter(request: Request, parameters: Parameters): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  const { datacenter, id } = sourceOf(parameters);
  await cloudapi.imgapi.importFromDatacenter(id, datacenter, onBehalf);
  await waitForCopy(cloudapi.imgapi, id, onBehalf);
  return imageReply(request, await cloudapi.imgapi.getImage(id, onBehalf));
}

function sourceOf(parameters: Parameters): { readonly datacenter: string; readonly id: string } {
  const datacenter = required(parameters, 'datacenter', 'the name of the datacenter that has the image');
  const id = required(parameters, 'id', 'the UUID of the image');
  if (!isUuid(id)) throw invalid('id', id, 'a lower-case UUID');
  return { datacenter, id };
}

function required(parameters: Parameters, name: string, what: string): string {
  const value = optionalText(parameters, name);
  if (value === undefined) throw missing(name, what);
  return value;
}
