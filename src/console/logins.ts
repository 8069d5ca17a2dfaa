/**
 * Who is logged in at the console. An operator makes a token with a command; a browser gives it back once, within minutes,
 * for a session. Only hashes are kept, in the store, so that every process knows a session, and nobody can read one there.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Bucket, Write } from '#lib/documents/store.ts';
import type { Service } from '../service/service.ts';

interface LoginRecord {
  readonly kind: 'token' | 'session';
  readonly user: string;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly expires_at: number;
}

export const CONSOLE_LOGINS: Bucket<LoginRecord> = {
  name: 'imgapi_console_logins',
  version: 1,
  index: { expires_at: { type: 'number' } },
};

const TOKEN_MS = 5 * 60_000;
export const SESSION_SECONDS = 8 * 3600;
const SECRET_BYTES = 32;
/** What a secret of so many bytes looks like; anything else is not worth a look into the store. */
const SECRET = /^[\w-]{43}$/;
const AT_ONCE = 500;

type With = Pick<Service, 'store'>;

interface Made {
  readonly secret: string;
  /** ISO date. */
  readonly expires: string;
}

function made({ store }: With, kind: LoginRecord['kind'], user: string, ms: number): Made & { readonly write: Write } {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const expiresAt = store.now() + ms;
  const value: LoginRecord = { kind, user, expires_at: expiresAt };
  const write: Write = { op: 'put', bucket: CONSOLE_LOGINS, key: keyOf(secret), value, ifEtag: null };
  return { secret, expires: new Date(expiresAt).toISOString(), write };
}

function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

async function found({ store }: With, kind: LoginRecord['kind'], secret: string) {
  if (!SECRET.test(secret)) return undefined;
  const stored = await store.get(CONSOLE_LOGINS, keyOf(secret));
  return stored?.value.kind === kind && stored.value.expires_at > store.now() ? stored : undefined;
}

/** For one login as this user. */
export async function createLoginToken(service: With, user: string): Promise<Made> {
  const { write, ...token } = made(service, 'token', user, TOKEN_MS);
  await service.store.batch([write]);
  return token;
}

/**
 * The session that a token is given back for; undefined for one that is not known, has expired or was used.
 * @throws EtagConflictError for one that is being used by somebody else
 */
export async function logIn(service: With, token: string): Promise<(Made & { readonly user: string }) | undefined> {
  const stored = await found(service, 'token', token);
  if (!stored) return undefined;
  const { user } = stored.value;
  const { write, ...session } = made(service, 'session', user, SESSION_SECONDS * 1000);
  // In one batch, so that a token makes one session.
  await service.store.batch([{ op: 'del', bucket: CONSOLE_LOGINS, key: stored.key, ifEtag: stored.etag }, write]);
  return { ...session, user };
}

/** Whose session it is. */
export async function sessionUser(service: With, session: string): Promise<string | undefined> {
  return (await found(service, 'session', session))?.value.user;
}

export async function logOut({ store }: With, session: string): Promise<void> {
  if (SECRET.test(session)) await store.batch([{ op: 'del', bucket: CONSOLE_LOGINS, key: keyOf(session) }]);
}

/** The periodic task. Returns how many had expired. */
export async function expireLogins({ store }: With): Promise<number> {
  let count = 0;
  for (;;) {
    const filter = { op: 'le', field: 'expires_at', value: store.now() } as const;
    const expired = await store.find(CONSOLE_LOGINS, { filter, limit: AT_ONCE });
    if (expired.length === 0) return count;
    await store.batch(expired.map(({ key }): Write => ({ op: 'del', bucket: CONSOLE_LOGINS, key })));
    count += expired.length;
  }
}
