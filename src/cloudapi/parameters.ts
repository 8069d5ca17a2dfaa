/** Parameters of CloudAPI: in the query, in a JSON body, or in both, where the query wins. */
import { isJson, mediaType } from '#lib/text/media-types.ts';
import type { ParameterForm } from '../http-kit/parameters.ts';
import { declareParameters } from '../http-kit/query.ts';
import type { Call } from './call.ts';
import { CloudapiError, invalid } from './errors.ts';

/** Of these, which decide what is done, nothing may be taken for absent; other names are let be, as ever. */
declareParameters(['account', 'action', 'datacenter', 'id', 'index', 'machine', 'manta_path', 'redirect']);

export const parameterForm: ParameterForm = {
  refuse: (name, given, { mustBe = '' }) => invalid(name, given, mustBe),
  miss: (_name, { message }) => new CloudapiError('MissingParameter', message),
  emptyIsAbsent: true,
  isNameChecked: false,
};

/** Reads those of the body. @throws 400, 409, 413, 415 */
export async function takeParameters(call: Call): Promise<void> {
  const body = (await call.json()) ?? {};
  assertTaken(call);
  if (typeof body !== 'object' || Array.isArray(body)) throw invalid('body', body, 'a JSON object');
  const { action, ...others }: Readonly<Record<string, unknown>> = { ...body, ...call.query };
  if (action !== undefined && typeof action !== 'string') throw invalid('action', action, 'one string');
  call.take(action ? { ...others, action } : others);
}

function assertTaken({ headers }: Call): void {
  const type = headers['content-type'];
  if (type === undefined || isJson(mediaType(type) ?? '')) return;
  if (headers['content-length'] === '0' || !(headers['content-length'] ?? headers['transfer-encoding'])) return;
  throw new CloudapiError('UnsupportedMediaType', `Content-Type is "${type}"; send application/json`);
}
