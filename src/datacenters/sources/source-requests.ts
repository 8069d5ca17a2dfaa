/** Requests for icons and files that all kinds of sources share. */

import type { FileDownload } from '#lib/client/download.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import type { HttpAnswer } from '#lib/client/transport.ts';
import { iconType } from '../../images/files/icons.ts';
import { SourceInvalidError } from '../peers/errors.ts';
import type { FileRequest, ImageSource, SourceFile } from './source.ts';

export type SourceIcon = NonNullable<Awaited<ReturnType<ImageSource['getIcon']>>>;

/** Undefined if the source has no icon. @throws SourceInvalidError when its type or size is not allowed here */
export async function sourceIcon(ask: () => Promise<HttpAnswer>, limit: number): Promise<SourceIcon | undefined> {
  let answer: HttpAnswer;
  try {
    answer = await ask();
  } catch (error) {
    if (error instanceof ImgapiError && error.statusCode === 404) return undefined;
    throw error;
  }
  const contentType = iconType(answer.headers['content-type']);
  const { expected: length } = answer.body;
  if (contentType && length !== undefined && length <= limit) return { contentType, stream: answer.body, length };
  answer.body.destroy();
  throw new SourceInvalidError(
    `${answer.url} is not a usable icon: ${answer.headers['content-type']} of ${length ?? 'unknown'} bytes (at most ${limit})`,
  );
}

/** Not all sources get an If-Match, so an ETag that is the sha1 of another file counts as 412. */
export function sourceFile({ status, stream, size, headers }: FileDownload, request: FileRequest): SourceFile {
  const etag = headers['etag']?.replace(/^W\//, '').replaceAll('"', '');
  if (etag !== undefined && /^[0-9a-f]{40}$/.test(etag) && etag !== request.sha1) {
    stream.destroy();
    throw new ImgapiError(`the source now has the file ${etag}, not ${request.sha1}`, {
      code: 'PreconditionFailed',
      statusCode: 412,
    });
  }
  return { status, length: size, stream };
}

/** As a parameter: the first file needs none. */
export function indexOf({ index = 0 }: FileRequest): string | undefined {
  return index === 0 ? undefined : String(index);
}

/** `?account=…&…`, without undefined values. */
export function query(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
