import { pause } from '../../runtime/timers.ts';
import { agreedIdentity } from '../store-identity.ts';
import type { S3Calls } from './calls.ts';
import { getBytes, listKeys, putObject } from './objects.ts';
import { isCode, isMissing, isNotImplemented } from './s3-error.ts';

const LAST_BYTE = 255;
/** Milliseconds between looking whether there is an identity and having proposed one, at the most. */
const MOMENT = 2_000;

/** See {@link agreedIdentity}. */
export function storeIdentity(calls: S3Calls, key: string): Promise<string> {
  return agreedIdentity({ read: () => readIdentity(calls, key), create: (value) => createIdentity(calls, key, value) });
}

async function createIdentity(calls: S3Calls, key: string, value: string): Promise<void> {
  try {
    await putObject(calls, key, Buffer.from(`${value}\n`), { ifNone: true });
  } catch (error) {
    if (isNotImplemented(error)) await agree(calls, key, value);
    else if (!isCode(error, 'PreconditionFailed')) throw error;
  }
}

/**
 * In a store that writes under no condition: everybody proposes a value, waits until all who could are sure to have done
 * so, and writes the first of them. The proposals stay, for one who comes late to this.
 */
async function agree(calls: S3Calls, key: string, value: string): Promise<void> {
  await putObject(calls, `${key}.${value}`, new Uint8Array());
  await pause(MOMENT);
  for await (const { keys } of listKeys(calls, `${key}.`)) {
    const [first] = keys;
    if (!first) continue;
    await putObject(calls, key, Buffer.from(`${first.key.slice(key.length + 1)}\n`));
    return;
  }
}

async function readIdentity(calls: S3Calls, key: string): Promise<string | undefined> {
  try {
    return Buffer.from(await getBytes(calls, key, LAST_BYTE)).toString();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
