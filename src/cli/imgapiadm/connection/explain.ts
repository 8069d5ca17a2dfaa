/** What the user is told when a call failed. */
import { ImgapiError, type ImgapiFieldError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { ConfigError } from '#src/service/config/config-error.ts';
import type { Failure } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';

export function explain(error: unknown): Failure | undefined {
  if (error instanceof ImgapiError) {
    const failure = answered(error);
    const isAccountMissing = error.errors?.some(
      ({ field, code }) => field === 'account' && code === 'MissingParameter',
    );
    return isAccountMissing ? { ...failure, details: [...failure.details, 'name it with --account'] } : failure;
  }
  if (error instanceof ImgapiUnreachableError) {
    const details = error.fault === 'connect' ? ['name the server with --url or IMGAPI_URL'] : [];
    return { code: 'Unreachable', message: error.message, details, exitCode: EXIT.unreachable };
  }
  if (error instanceof ConfigError) {
    const [first = error.message, ...more] = error.message.split('\n');
    return { code: 'Config', message: first, details: more, exitCode: EXIT.failed };
  }
  return undefined;
}

/** What a server answered. */
export function answered({ code, message, statusCode, errors = [], requestId }: ImgapiError): Failure {
  // A fault of the server's is found in its log.
  const request = statusCode >= 500 && requestId !== undefined ? [`request ${requestId}`] : [];
  return {
    code,
    message,
    details: [...errors.flatMap((error) => fieldLines(error, message)), ...request],
    exitCode: statusCode === 404 ? EXIT.notFound : EXIT.failed,
  };
}

/** What the message has not said already. */
function fieldLines({ field, code, message }: ImgapiFieldError, said: string): string[] {
  if (message === undefined) return [`${field}: ${code}`];
  return message === said ? [] : [`${field}: ${code}: ${message}`];
}
