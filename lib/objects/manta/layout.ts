/** Where things are in Manta, as paths that are not encoded yet. */
import { IDENTITY, STAGING } from '../object-path.ts';

/** Begins the path of an object of another datacenter; see `siblingPath`. */
const SIBLING = '@';

/** Leads the name of staged bytes that no session stands for. */
const LEFT = '~';

/** Digits of an offset in the name of a piece, so that names sort as offsets do. */
const DIGITS = 14;

export class Layout {
  /** What all datacenters of the account share. */
  readonly base: string;
  readonly root: string;
  readonly datacenter: string | undefined;
  readonly staging: string;
  readonly identity: string;

  constructor({ user, baseDir, datacenter }: { user: string; baseDir: string; datacenter?: string | undefined }) {
    this.base = `/${user}/stor/${baseDir}`;
    this.root = datacenter === undefined ? this.base : `${this.base}/${datacenter}`;
    this.datacenter = datacenter;
    this.staging = `${this.root}/${STAGING}`;
    this.identity = `${this.base}/${IDENTITY}`;
  }

  resolve(path: string): string {
    if (this.datacenter !== undefined && path.startsWith(SIBLING)) return `${this.base}/${path.slice(SIBLING.length)}`;
    return path === '' ? this.root : `${this.root}/${path}`;
  }

  siblingPath(datacenter: string, path: string): string {
    return `${SIBLING}${datacenter}/${path}`;
  }

  staged(session: string): string {
    return `${this.staging}/${session}`;
  }

  piece(session: string, offset: number): string {
    return `${this.staged(session)}/${String(offset).padStart(DIGITS, '0')}`;
  }

  leftover(session: string): string {
    return `${LEFT}${session}`;
  }

  /** Undefined if the name is not that of a leftover. */
  sessionOfLeftover(name: string): string | undefined {
    return name.startsWith(LEFT) ? name.slice(LEFT.length) : undefined;
  }
}

/** A path as it stands in a request. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
