/** The sha256 of bytes in memory, in lower-case hex, computed beside the event loop. The bytes must not change meanwhile. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
