/** Checks AWS Signature Version 4, in the header and in presigned URLs. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { S3Refusal } from './refusal.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  readonly method: string;
  /** As sent, with the query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const MOST_SKEW_MS = 15 * 60_000;
const LONGEST_SECONDS = 7 * 86_400;
const FIELD = {
  Credential: /Credential=([^,\s]+)/,
  SignedHeaders: /SignedHeaders=([^,\s]+)/,
  Signature: /Signature=(\w+)/,
};

/** @throws S3Refusal as S3 would refuse. @param now the server's clock */
export function checkSignature(request: SignedRequest, credentials: Credentials, now: number): void {
  const url = new URL(request.target, 'http://s3');
  const query = url.searchParams;
  const isPresigned = query.has('X-Amz-Signature');
  const { authorization = '' } = request.headers;
  const field = (name: keyof typeof FIELD): string =>
    (isPresigned ? query.get(`X-Amz-${name}`) : FIELD[name].exec(authorization)?.[1]) ?? '';
  if (!isPresigned && !authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new S3Refusal(403, 'AccessDenied', 'Access Denied');
  }
  const [keyId, day = '', region = '', service = ''] = field('Credential').split('/');
  if (keyId !== credentials.accessKeyId) {
    throw new S3Refusal(403, 'InvalidAccessKeyId', 'The access key does not exist in our records.');
  }
  const stamp = isPresigned ? (query.get('X-Amz-Date') ?? '') : String(request.headers['x-amz-date'] ?? '');
  checkTime(stamp, isPresigned ? Number(query.get('X-Amz-Expires')) : undefined, now);
  const payload = isPresigned ? 'UNSIGNED-PAYLOAD' : String(request.headers['x-amz-content-sha256'] ?? '');
  checkPayload(payload, request.body);
  const canonical = canonicalRequest(request, url.pathname, field('SignedHeaders').split(';'), payload);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  const wanted = hmac(key, text);
  const given = Buffer.from(field('Signature'), 'hex');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new S3Refusal(403, 'SignatureDoesNotMatch', 'The request signature does not match.');
  }
}

function checkTime(stamp: string, expires: number | undefined, now: number): void {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? [];
  const signed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(signed)) throw new S3Refusal(403, 'AccessDenied', 'The date is missing or invalid.');
  if (expires === undefined) {
    if (Math.abs(now - signed) <= MOST_SKEW_MS) return;
    throw new S3Refusal(403, 'RequestTimeTooSkewed', 'The request time and the current time differ too much.');
  }
  if (!(expires >= 1 && expires <= LONGEST_SECONDS)) {
    throw new S3Refusal(400, 'AuthorizationQueryParametersError', 'X-Amz-Expires must be less than a week.');
  }
  if (now > signed + expires * 1000) throw new S3Refusal(403, 'AccessDenied', 'Request has expired');
}

function checkPayload(payload: string, body: Buffer): void {
  if (payload === 'UNSIGNED-PAYLOAD') return;
  if (payload.startsWith('STREAMING-')) throw new S3Refusal(501, 'NotImplemented', 'Streamed signatures.');
  if (payload === sha256(body)) return;
  throw new S3Refusal(400, 'XAmzContentSHA256Mismatch', 'The x-amz-content-sha256 does not match what was computed.');
}

function canonicalRequest({ method, target, headers }: SignedRequest, path: string, signed: string[], payload: string) {
  const [, query = ''] = target.split('?');
  const parameters = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => pair.split('=').map((text) => encode(decodeURIComponent(text))))
    .map(([name = '', value = '']) => [name, value] as const)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const lines = signed
    .map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}\n`,
    )
    .join('');
  return [method, path, parameters, lines, signed.join(';'), payload].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
