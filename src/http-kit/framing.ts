/** How the end of a body is marked. A proxy in front must see it in the same place as we do. */
import { RequestError } from './request-error.ts';

/** The parts of a request that are looked at. */
export interface Framed {
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: { readonly 'transfer-encoding'?: string | undefined };
}

/**
 * node's parser accepts any coding that ends with `chunked` and does not decode the others. It does so in HTTP/1.0 too,
 * where proxies read to the end of the connection. @throws 400 InvalidHeader
 */
export function assertFraming({ headers, httpVersionMajor, httpVersionMinor }: Framed): void {
  const { 'transfer-encoding': coding } = headers;
  if (coding === undefined) return;
  if (coding.trim().toLowerCase() !== 'chunked') {
    const shown = JSON.stringify(coding.slice(0, 100));
    throw new RequestError('InvalidHeader', `Transfer-Encoding is ${shown}; it can only be chunked, alone`);
  }
  if (httpVersionMajor === 1 && httpVersionMinor === 0) {
    throw new RequestError('InvalidHeader', 'HTTP/1.0 has no Transfer-Encoding; send Content-Length');
  }
}
