import { join } from 'node:path';
import { newUuid } from '../../text/uuid.ts';
import { IDENTITY, isSessionName, STAGING } from '../object-path.ts';

/** Where things are below the root: objects under their paths, sessions in `staging`, and the store's identity. */
export class Layout {
  readonly root: string;
  readonly staging: string;
  readonly identity: string;

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

  /** A new name in the staging directory that no session can have. */
  temporary(): string {
    return join(this.staging, `~${newUuid()}`);
  }

  isTemporary(name: string): boolean {
    return !isSessionName(name);
  }
}
