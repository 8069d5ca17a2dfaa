import { join } from 'node:path';
import { hasDied, newProcessName } from '../../runtime/process-name.ts';
import { newUuid } from '../../text/uuid.ts';
import { IDENTITY, isSessionName, STAGING } from '../object-path.ts';

/** Where things are below the root: objects under their paths, sessions in `staging`, and the store's identity. */
export class Layout {
  readonly root: string;
  readonly staging: string;
  readonly identity: string;
  readonly #process = newProcessName();

  constructor(root: string) {
    this.root = root;
    this.staging = join(root, STAGING);
    this.identity = join(root, IDENTITY);
  }

  /** File or directory of an object path. */
  resolve(path: string): string {
    return join(this.root, path);
  }

  staged(session: string): string {
    return join(this.staging, session);
  }

  /** A new name in the staging directory that no session can have, and that tells which process works on it. */
  temporary(): string {
    return join(this.staging, `~${this.#process}.${newUuid()}`);
  }

  /** Whether it is a temporary name of a process that is certainly not there any more. */
  isOfDead(name: string): boolean {
    return this.isTemporary(name) && hasDied(name.slice(1));
  }

  isTemporary(name: string): boolean {
    return !isSessionName(name);
  }
}
