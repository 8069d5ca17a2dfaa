import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { InvalidPathError } from '../errors.ts';
import { assertSessionName, isSessionName, partsOf } from '../object-path.ts';

const STAGING = 'staging';
const IDENTITY = 'identity';
const RESERVED: ReadonlySet<string> = new Set([STAGING, IDENTITY]);

/** Where things lie below the root: objects under their paths, sessions in `staging`, the store's identity beside. */
export class Layout {
  readonly root: string;
  readonly staging: string;
  readonly identity: string;

  constructor(root: string) {
    this.root = root;
    this.staging = join(root, STAGING);
    this.identity = join(root, IDENTITY);
  }

  /** File or directory of an object path; every path of a caller comes through here. @throws InvalidPathError */
  resolve(path: string): string {
    const parts = partsOf(path);
    if (RESERVED.has(parts[0] ?? '')) {
      throw new InvalidPathError(path, `begins with ${parts[0]}, which the store keeps for itself`);
    }
    return join(this.root, ...parts);
  }

  /** @throws InvalidSessionNameError */
  staged(session: string): string {
    assertSessionName(session);
    return join(this.staging, session);
  }

  /** A new name in the staging directory that no session can have. */
  temporary(): string {
    return join(this.staging, `~${randomUUID()}`);
  }

  isTemporary(name: string): boolean {
    return !isSessionName(name);
  }

  isReserved(name: string): boolean {
    return RESERVED.has(name);
  }
}
