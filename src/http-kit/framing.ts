/** How the end of a body is told. Whoever stands in front of us must see it where we do. */
import { RequestError } from './request-error.ts';

/** What of a request is read. */
export interface Framed {
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: { readonly 'transfer-encoding'?: string | undefined };
}

/**
 * The parser takes any coding that ends with `chunked`, hands the body over still coded, and does so for HTTP/1.0 too,
 * where others read to the end of the connection. @throws 400 InvalidHeader
 */
export function assertFraming({ headers, httpVersionMajor, httpVersionMinor }: Framed): void {
  const { 'transfer-encoding': coding } = headers;
  if (coding === undefined) return;
  if (coding.trim().toLowerCase() !== 'chunked') {
    const shown = JSON.stringify(coding.slice(0, 100));
    throw new RequestError('InvalidHeader', `Transfer-Encoding is ${shown}; it can be chunked, and nothing beside it`);
  }
  if (httpVersionMajor === 1 && httpVersionMinor === 0) {
    throw new RequestError('InvalidHeader', 'Transfer-Encoding is not for HTTP/1.0; send Content-Length');
  }
}
