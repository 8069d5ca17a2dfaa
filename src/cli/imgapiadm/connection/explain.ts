/** What the user is told when a call failed. */
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { ConfigError } from '#src/service/config/config-error.ts';
import type { Failure } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { answered } from '../../shared/answered.ts';

const OPERATOR_HINT =
  "operators are known on the server's machine by its configuration (--config) or data directory (--data-dir), elsewhere by a token (--token-file)";

export function explain(error: unknown): Failure | undefined {
  if (error instanceof ImgapiError) {
    const failure = answered(error);
    const hints = [
      ...(isAccountMissing(error) ? ['name it with --account'] : []),
      ...(error.statusCode === 401 ? [OPERATOR_HINT] : []),
      ...(error.code === 'ImageProtected' ? ['imgapiadm unprotect does that'] : []),
    ];
    return { ...failure, details: [...failure.details, ...hints] };
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

function isAccountMissing({ message, errors = [] }: ImgapiError): boolean {
  if (/^name the account /.test(message)) return true;
  return errors.some(({ field, code }) => field === 'account' && code === 'MissingParameter');
}
