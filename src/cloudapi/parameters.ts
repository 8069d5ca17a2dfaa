/** Parameters of CloudAPI: in the query, in a body of JSON or of a form, or in both, in which case the body wins. */
import { parse } from 'node:querystring';
import { isJson, mediaType } from '#lib/text/media-types.ts';
import type { ParameterForm } from '../http-kit/parameters.ts';
import { declareParameters } from '../http-kit/query.ts';
import type { Call } from './call.ts';
import { CloudapiError, invalid } from './errors.ts';

/** These decide what is done, so a misspelt one must not count as absent. Other unknown names are ignored, as ever. */
declareParameters(['account', 'action', 'as-role', 'datacenter', 'id', 'index', 'machine', 'manta_path', 'redirect']);
declareParameters(['role-tag']);

export const parameterForm: ParameterForm = {
  refuse: (name, given, { mustBe = '' }) => invalid(name, given, mustBe),
  miss: (_name, { message }) => new CloudapiError('MissingParameter', message),
  emptyIsAbsent: true,
  isNameChecked: false,
};

/** Reads the parameters in the body, and sets those of the call. @throws 400, 409, 413, 415 */
export async function readParameters(call: Call): Promise<void> {
  const body = isForm(call) ? await formOf(call) : ((await call.json()) ?? {});
  assertMediaType(call);
  if (typeof body !== 'object' || Array.isArray(body)) throw invalid('body', body, 'a JSON object');
  const { action, ...others }: Readonly<Record<string, unknown>> = { ...call.query, ...body };
  if (action !== undefined && typeof action !== 'string') throw invalid('action', action, 'one string');
  call.setParameters(action ? { ...others, action } : others);
}

const FORM = 'application/x-www-form-urlencoded';
/** Bytes. */
const LONGEST_FORM = 100_000;

/** What `curl -d name=value` sends. */
function isForm({ headers }: Call): boolean {
  return mediaType(headers['content-type'] ?? '') === FORM;
}

async function formOf(call: Call): Promise<object> {
  const text = (await call.bytes(LONGEST_FORM)).toString('utf8');
  return parse(text, '&', '=', { maxKeys: 0 });
}

function assertMediaType({ headers }: Call): void {
  const type = headers['content-type'];
  if (type === undefined || mediaType(type) === FORM || isJson(mediaType(type) ?? '')) return;
  if (headers['content-length'] === '0' || !(headers['content-length'] ?? headers['transfer-encoding'])) return;
  throw new CloudapiError('UnsupportedMediaType', `Content-Type is "${type}"; send application/json or ${FORM}`);
}
