/** What is asked of CNAPI: about a node, to have it make an image, and how far it is with that. */
import { isObject } from '#lib/manifest/fields.ts';
import { cutText } from '#lib/text/cut-text.ts';
import type { ImageJob, NodeOrder } from './model.ts';
import { type Platform, platformOf } from './platform.ts';
import type { TritonApi, TritonCall } from './triton-api.ts';

/** @throws as TritonApi.get */
export async function nodePlatform(cnapi: TritonApi, server: string, call: TritonCall): Promise<Platform> {
  return platformOf(await cnapi.get(`/servers/${server}`, call));
}

/**
 * Has the node make the image. Returns the id of the task; undefined if the answer has none, though the node may be at work.
 * @throws as TritonApi.post
 */
export async function orderImage(
  cnapi: TritonApi,
  job: ImageJob,
  { manifest, script }: NodeOrder,
  server: string,
  call: TritonCall,
): Promise<string | undefined> {
  const answer = await cnapi.post(
    `/servers/${server}/vms/${job.vm}/images`,
    {
      compression: 'gzip',
      imgapi_url: job.imgapi_url,
      incremental: job.incremental,
      manifest,
      prepare_image_script: script,
      ...(job.max_origin_depth !== undefined && { max_origin_depth: job.max_origin_depth }),
    },
    call,
  );
  const { id } = answer;
  return typeof id === 'string' && /^\w[\w.-]{0,99}$/.test(id) ? id : undefined;
}

/** How a task of a node is going. */
export type TaskState =
  | { readonly state: 'active' | 'complete' }
  | { readonly state: 'failure'; readonly error: { readonly message: string; readonly code?: string } };

/** @throws as TritonApi.get */
export async function taskState(cnapi: TritonApi, id: string, call: TritonCall): Promise<TaskState> {
  const task = await cnapi.get(`/tasks/${id}`, call);
  switch (task['status']) {
    case 'complete':
      return { state: 'complete' };
    case 'failure':
      return { state: 'failure', error: errorOf(task['history']) };
    default:
      return { state: 'active' };
  }
}

/** As long as today's IMGAPI keeps it. */
const LONGEST_MESSAGE = 20_000;
const MOST_EVENTS = 1000;
const LONGEST_CODE = 100;

/** The events of a failed task hold its error: a text, which may be the JSON of a structured one, and lines of its log. */
function errorOf(history: unknown): { message: string; code?: string } {
  const events = (Array.isArray(history) ? history.slice(0, MOST_EVENTS) : []).filter(isObject);
  const given = events.filter(({ name }) => name === 'error').map(({ event }) => errorText(event));
  const message = given.findLast((text) => text !== undefined) ?? 'the node does not say why it failed';
  const structured = structuredError(message);
  if (structured) return structured;
  const details = events.filter(({ name }) => name === 'finish').flatMap(({ event }) => loggedErrors(event));
  return { message: cutText([message, ...details].join('; '), LONGEST_MESSAGE) };
}

function errorText(event: unknown): string | undefined {
  if (!isObject(event)) return undefined;
  const { error, details } = event;
  if (isObject(error)) return textOf(error['message']);
  const text = textOf(error);
  const more = isObject(details) ? textOf(details['error']) : undefined;
  return text !== undefined && more !== undefined ? `${text}, ${more}` : text;
}

function structuredError(text: string): { message: string; code?: string } | undefined {
  if (!text.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const message = isObject(value) ? textOf(value['message']) : undefined;
  const code = isObject(value) ? textOf(value['code']) : undefined;
  if (message === undefined) return undefined;
  return {
    message: cutText(message, LONGEST_MESSAGE),
    ...(code !== undefined && { code: cutText(code, LONGEST_CODE) }),
  };
}

function loggedErrors(event: unknown): string[] {
  const log = isObject(event) && Array.isArray(event['log']) ? event['log'].slice(0, MOST_EVENTS) : [];
  return log
    .filter(isObject)
    .filter(({ level }) => level === 'error')
    .flatMap(({ message }) => textOf(message) ?? []);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
