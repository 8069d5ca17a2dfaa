/** How the commands report an error that a server answered. */
import type { ImgapiError, ImgapiFieldError } from '#lib/client/errors.ts';
import type { Failure } from '../framework/errors.ts';
import { EXIT } from '../framework/exit-codes.ts';

export function answered({ code, message, statusCode, errors = [], requestId }: ImgapiError): Failure {
  // A fault of the server's is found in its log.
  const request = statusCode >= 500 && requestId !== undefined ? [`request ${requestId}`] : [];
  return {
    code,
    message,
    details: [...errors.flatMap((error) => fieldLines(error, message)), ...request, ...elsewhere(code)],
    exitCode: statusCode === 404 ? EXIT.notFound : EXIT.failed,
  };
}

/** An error without a code is not one of these servers'. */
function elsewhere(code: string): string[] {
  return /^Http\d+$/.test(code) ? ['is this the URL of the right server? Its answer is none of an image service'] : [];
}

/** What the message has not said already. */
function fieldLines({ field, code, message }: ImgapiFieldError, said: string): string[] {
  if (message === undefined) return [`${field}: ${code}`];
  return message === said ? [] : [`${field}: ${code}: ${message}`];
}
