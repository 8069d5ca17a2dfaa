/** How IMGAPI reads the parameters and bodies of its operations. */

import { ApiError, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { Wording } from '#lib/api/wording.ts';
import type { Bodies } from '../http-kit/operations.ts';
import { type ParameterForm, PLAIN } from '../http-kit/parameters.ts';
import type { Call } from './call.ts';
import { readSignedJson, readUnsignedJson } from './signed-body.ts';

const errorFor = ({ error }: Wording) => (error === 'ValidationFailed' ? validationFailed : invalidParameter);

function refuse(name: string, given: unknown, wording: Wording): ApiError {
  const { mustBe, refusal = `${name} is ${JSON.stringify(given)}; it must be ${mustBe}` } = wording;
  return errorFor(wording)(name, refusal);
}

const miss: ParameterForm['miss'] = (name, { message, kind = 'MissingParameter' }, wording) =>
  errorFor(wording)(name, message, kind);

const parameterForm: ParameterForm = {
  ...PLAIN,
  // As in today's IMGAPI. Not so a flag: `dry_run=` must not do the real thing; nor `account=`, see `call.ts`.
  emptyIsAbsent: true,
  refuse: (name, given, wording) => (wording.error ? refuse : PLAIN.refuse)(name, given, wording),
  miss,
};

const bodies: Bodies<Call> = {
  refuse,
  miss,
  refuseBody: (mustBe) => new ApiError('InvalidContent', `the body must be ${mustBe}`),
  read(call, body) {
    if ('signed' in body) return readSignedJson(call);
    if ('json' in body && body.maxBytes !== undefined) return readUnsignedJson(call, body.maxBytes);
    return call.json();
  },
};

/** For the routes of every listener. */
export const requestForms = { parameterForm, bodies } as const;
