/** Makes tokens as keyapi does, for `X-Auth-Token`. */
import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export const TOKEN_UUID = '7b1d2c5e-0a4f-4c6e-9d7a-51f0c3e8a2b4';
/** Has bytes above 127, of which node's versions make different keys. */
const HEX = 'c3a9f0017e80ff4429d6b1e25f3c9a7708d4e6b2a1f0c3958e7d6c5b4a392817';
export const TOKEN_KEYS: Readonly<Record<string, string>> = { [TOKEN_UUID]: HEX };

/** @param content is JSON inside, whatever it is */
export function makeToken(content: unknown, { encoding = 'utf8' as 'latin1' | 'utf8' } = {}): string {
  const key = Buffer.from(Buffer.from(HEX, 'hex').toString('latin1'), encoding);
  const packed = gzipSync(JSON.stringify(content)).toString('latin1');
  const plain = JSON.stringify({ date: new Date().toISOString(), data: packed });
  const first = createHash('md5').update(key).digest();
  const second = createHash('md5').update(first).update(key).digest();
  const cipher = createCipheriv('aes-128-cbc', first, second);
  const data = cipher.update(plain, 'latin1', 'base64') + cipher.final('base64');
  const hash = createHmac('sha256', key).update(data).digest('base64');
  return JSON.stringify({ keyid: TOKEN_UUID, data, version: '0.1.0', hash });
}
