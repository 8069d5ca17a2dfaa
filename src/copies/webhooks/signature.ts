/** The signature of a message: who has the secret knows that it comes from here, and when it was sent. */
import { createHmac } from 'node:crypto';

/** @param seconds since the epoch, which the signature covers: a message that is kept and sent again later is told by it */
export function signatureOf(secret: string, seconds: number, body: string): string {
  const hmac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hmac}`;
}
