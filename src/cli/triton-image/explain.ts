/** What the user is told when a call of CloudAPI failed. */
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { CommandError, type Failure } from '../framework/errors.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { answered } from '../shared/answered.ts';

export function explain(error: unknown): Failure | undefined {
  if (error instanceof ImgapiError) {
    const failure = answered(error);
    return error.statusCode === 401 ? { ...failure, details: [...failure.details, KEY_HINT] } : failure;
  }
  if (error instanceof ImgapiUnreachableError) {
    const details = error.fault === 'connect' ? ['the CloudAPI is named by the profile, TRITON_URL or --url'] : [];
    return { code: 'Unreachable', message: error.message, details, exitCode: EXIT.unreachable };
  }
  return undefined;
}

const KEY_HINT =
  'check that the account has this key there, that the clock of this machine is right,' +
  ' and, if the URL has a path, that publicUrl is configured there';

/** For what fails beside other things that go on. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommandError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return explain(error) ?? { code: 'Internal', message, details: [], exitCode: EXIT.failed };
}
