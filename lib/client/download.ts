/** Getting a file, or the rest of one that broke off. Also for pull URLs, which are no calls of an IMGAPI. */
import { expectSuccess, invalidAnswer } from './answer.ts';
import type { ByteStream } from './byte-stream.ts';
import type { HttpAnswer, HttpRequest, HttpTransport } from './transport.ts';

export interface DownloadRange {
  /** First byte, default 0. */
  readonly start?: number;
  /** Last byte, inclusive as in HTTP ranges; default the last of the file. */
  readonly end?: number;
  /** The file's ETag (of an IMGAPI its sha1): another file answers 412. */
  readonly ifMatch?: string;
}

export interface FileDownload {
  /** 206 when the range was honoured; 200: the file comes from its start, whatever was asked. */
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: ByteStream;
  /** Bytes that the stream brings, when the server says so. */
  readonly size: number | undefined;
  /** Position of the stream's first byte in the file. */
  readonly start: number;
  /** Bytes of the whole file, when the server says so. */
  readonly total: number | undefined;
}

/** The headers that ask for a range. */
export function rangeHeaders({ start = 0, end, ifMatch }: DownloadRange): Record<string, string> {
  const headers: Record<string, string> = {};
  if (start > 0 || end !== undefined) headers['range'] = `bytes=${start}-${end ?? ''}`;
  if (ifMatch !== undefined) headers['if-match'] = ifMatch;
  return headers;
}

/** @throws ImgapiError of an answer that is no file, or not the range that was asked for */
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
  if (status !== 206) throw invalidAnswer(answer, 'it is no file');
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
