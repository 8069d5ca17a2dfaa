/** A bearer token that is sent in place of a signature. It is never an argument: all users of a machine see those. */
import { readFile } from 'node:fs/promises';
import type { RequestSigner } from '#lib/client/caller.ts';
import { kindOfAddress } from '#lib/network/addresses.ts';
import { bareHost } from '#lib/network/listener-url.ts';
import type { Environment } from '../framework/command.ts';
import { CommandError } from '../framework/errors.ts';

export const TOKEN_FILE_OPTION = {
  type: 'value',
  value: 'FILE',
  help: 'A file that holds a bearer token to send in place of a signature, where the server accepts those.',
} as const;

/** Where a token was found, and how it is read. */
export interface GivenToken {
  readonly from: string;
  /** For each request, so that whoever renews the file is heeded. @throws CommandError TokenFile */
  read(): Promise<string>;
}

/** @param names of variables, the first that is set goes before the others, and the file before all */
export function givenToken(
  file: string | undefined,
  env: Environment,
  names: readonly string[],
): GivenToken | undefined {
  if (file !== undefined) return { from: file, read: () => readToken(file) };
  const name = names.find((one) => env[one]);
  return name === undefined ? undefined : { from: name, read: async () => checked(env[name] ?? '', name) };
}

/** @throws CommandError TokenInClear if strangers could read the token on its way */
export function tokenSigner(token: GivenToken, url: string): RequestSigner {
  assertPrivateWay(token, url);
  return async () => ({ authorization: `Bearer ${await token.read()}` });
}

/** Whoever reads a token has it. A network of private addresses is taken for the operators' own. */
function assertPrivateWay({ from }: GivenToken, url: string): void {
  const parsed = new URL(url);
  const host = bareHost(parsed);
  const kind = host === 'localhost' ? 'loopback' : kindOfAddress(host);
  if (parsed.protocol === 'https:' || kind === 'loopback' || kind === 'private') return;
  throw new CommandError(`the token of ${from} is not sent to ${parsed.origin}: whoever is on the way could read it`, {
    code: 'TokenInClear',
    details: ['name the server by an https URL, or by a private address'],
  });
}

async function readToken(file: string): Promise<string> {
  try {
    return checked(await readFile(file, 'utf8'), file);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`the token cannot be read: ${(cause as Error).message}`, { code: 'TokenFile', cause });
  }
}

/** It goes into a header as it is. */
function checked(text: string, from: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandError(`${from} holds no token: one is a single word without spaces`, { code: 'TokenFile' });
}
