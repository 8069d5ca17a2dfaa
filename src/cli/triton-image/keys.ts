/**
 * The private key of a fingerprint: a file in `~/.ssh`, or one that the SSH agent holds. smartdc-auth finds keys where
 * `triton` finds them; each place is asked by itself, because together a missing one hides what the other has.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { KeyPair, KeyRingOptions, Signed } from 'smartdc-auth';
import sshpk from 'sshpk';
import type { Environment } from '../framework/command.ts';
import { CommandError } from '../framework/errors.ts';
import { unlock } from './passphrase.ts';
import { homeOf } from './profile.ts';

const AGENT_PATIENCE_MS = 5000;

export type SignText = (text: string) => Promise<Signed>;

/** @throws CommandError KeyNotFound, KeyLocked, KeyPassphrase, PassphraseFile or KeyId */
export async function findKey(keyId: string, env: Environment): Promise<SignText> {
  const fingerprint = parseFingerprint(keyId);
  const folder = join(homeOf(env), '.ssh');
  const inFiles = await search({ plugins: ['homedir'], keyDir: folder }, fingerprint);
  const unlocked = inFiles.pairs.find((pair) => !pair.isLocked());
  if (unlocked) return signerOf(unlocked);
  const inAgent = await searchAgent(env, fingerprint);
  const [held] = inAgent.pairs;
  if (held) return signerOf(held);
  const [locked] = inFiles.pairs;
  if (locked) {
    await unlock(locked, join(folder, locked.source ?? ''), env);
    return signerOf(locked);
  }
  throw new CommandError(`there is no private key with the fingerprint ${keyId}`, {
    code: 'KeyNotFound',
    details: [`${folder}: ${inFiles.why}`, `SSH agent: ${inAgent.why}`],
  });
}

function parseFingerprint(keyId: string): sshpk.Fingerprint {
  try {
    return sshpk.parseFingerprint(keyId);
  } catch (cause) {
    const right = 'a fingerprint as "ssh-keygen -l -f FILE" shows it, MD5 or SHA256';
    throw new CommandError(`the key is ${JSON.stringify(keyId)}; it must be ${right}`, { code: 'KeyId', cause });
  }
}

interface Found {
  readonly pairs: readonly KeyPair[];
  /** Why there are none. */
  readonly why: string;
}

async function searchAgent(env: Environment, fingerprint: sshpk.Fingerprint): Promise<Found> {
  const socketPath = env['SSH_AUTH_SOCK'];
  if (!socketPath) return { pairs: [], why: 'there is none (SSH_AUTH_SOCK is not set)' };
  const why = await agentTrouble(socketPath);
  if (why !== undefined) return { pairs: [], why };
  return search({ plugins: ['agent'], sshAgentOpts: { socketPath } }, fingerprint);
}

/** Why the agent cannot be asked; undefined when it can. The library that talks to agents ends the process when none listens. */
async function agentTrouble(socketPath: string): Promise<string | undefined> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(AGENT_PATIENCE_MS) });
    return undefined;
  } catch (error) {
    return error instanceof Error && error.name !== 'AbortError' ? error.message : 'it does not answer';
  } finally {
    socket.destroy();
  }
}

async function search(options: KeyRingOptions, fingerprint: sshpk.Fingerprint): Promise<Found> {
  // Only signed calls need it, and it takes longer to load than the rest of the command.
  const { default: auth } = await import('smartdc-auth');
  const ring = new auth.KeyRing(options);
  return new Promise((done) => {
    ring.find(fingerprint, (error, pairs = []) => {
      done({ pairs: pairs.filter((pair) => pair.canSign()), why: error ? reasonOf(error) : NOT_THERE });
    });
  });
}

const NOT_THERE = 'it is not there';

function reasonOf({ name, message }: Error): string {
  if (name === 'KeyNotFoundError') return NOT_THERE;
  return message.replace(/^(first of \d+ errors?: )+/, '');
}

function signerOf(pair: KeyPair): SignText {
  const sign = pair.createSign({ user: '' });
  return (text) =>
    new Promise((done, fail) => {
      sign(text, (error, signed) => (signed ? done(signed) : fail(cannotSign(error))));
    });
}

function cannotSign(cause: Error | null): CommandError {
  return new CommandError(`the key cannot sign: ${cause?.message ?? 'no signature came'}`, { code: 'Key', cause });
}
