/** Downloads a file or a range of it, from an IMGAPI or from a pull URL. */
import { expectSuccess, invalidAnswer } from './answer.ts';
import type { ByteStream } from './byte-stream.ts';
import type { HttpAnswer, HttpRequest, HttpTransport } from './transport.ts';

export interface DownloadRange {
  /** Position of the first byte; default 0. */
  readonly start?: number;
  /** Position of the last byte, inclusive as in HTTP; default the last of the file. */
  readonly end?: number;
  /** The file's ETag (in IMGAPI, its SHA-1): for another file the answer is 412. */
  readonly ifMatch?: string;
}

export interface FileDownload {
  /** 206 if the range was honoured; 200 if the file comes from its start instead. */
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: ByteStream;
  /** Bytes in the stream, if the server says so. */
  readonly size: number | undefined;
  /** Position of the stream's first byte in the file. */
  readonly start: number;
  /** Bytes of the whole file, if the server says so. */
  readonly total: number | undefined;
}

/** The headers that ask for a range. */
export function rangeHeaders({ start = 0, end, ifMatch }: DownloadRange): Record<string, string> {
  const headers: Record<string, string> = {};
  if (start > 0 || end !== undefined) headers['range'] = `bytes=${start}-${end ?? ''}`;
  if (ifMatch !== undefined) headers['if-match'] = ifMatch;
  return headers;
}

/** @throws ImgapiError if the answer is not a file, or not the range that was asked for */
export async function download(
  transport: HttpTransport,
  request: Omit<HttpRequest, 'method' | 'body'>,
  range: DownloadRange = {},
): Promise<FileDownload> {
  const headers = { ...request.headers, ...rangeHeaders(range) };
  return toDownload(await transport.send({ ...request, method: 'GET', headers }), range);
}

/** @throws ImgapiError */
export async function toDownload(answer: HttpAnswer, range: DownloadRange): Promise<FileDownload> {
  const { status, headers, body } = await expectSuccess(answer);
  const size = body.expected;
  if (status === 200) return { status, headers, stream: body, size, start: 0, total: size };
  if (status !== 206) throw invalidAnswer(answer, 'it is not a file');
  const { start, end, total } = contentRange(answer, range);
  const length = end - start + 1;
  if (size !== undefined && size !== length) throw invalidAnswer(answer, 'Content-Length and Content-Range differ');
  return { status, headers, stream: body, size: length, start, total };
}

function contentRange(answer: HttpAnswer, asked: DownloadRange): { start: number; end: number; total?: number } {
  const text = answer.headers['content-range'] ?? '';
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(text.trim());
  if (!match) throw invalidAnswer(answer, `Content-Range is "${text}"`);
  const [start, end, total] = [Number(match[1]), Number(match[2]), match[3] === '*' ? undefined : Number(match[3])];
  const isWhole = end >= start && (total === undefined || end < total);
  const isAsked = start === (asked.start ?? 0) && (asked.end === undefined || end <= asked.end);
  if (!isWhole || !isAsked) {
    throw invalidAnswer(answer, `bytes ${asked.start ?? 0}-${asked.end ?? ''} were asked for, "${text}" came`);
  }
  return { start, end, ...(total !== undefined && { total }) };
}
