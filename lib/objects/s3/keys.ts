import { STAGING } from '../object-path.ts';

/** Marks a path below another datacenter's prefix. No path of ours begins with it. */
const SIBLING = '@';

/** Where things are in the bucket. */
export class Keys {
  readonly #prefix: string;
  /** What the prefixes of all datacenters begin with: empty, or with a slash at its end. */
  readonly #parent: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  }

  /** Of an object or, with a slash behind it, of a directory; `''` is the top of the store. */
  of(path: string): string {
    if (path.startsWith(SIBLING)) return `${this.#parent}${path.slice(SIBLING.length)}`;
    return path === '' ? this.#prefix : `${this.#prefix}/${path}`;
  }

  sibling(root: string, path: string): string {
    return `${SIBLING}${root}/${path}`;
  }

  /** All services that may read each other's objects share it. A datacenter's name cannot begin with a dot. */
  get identity(): string {
    return `${this.#parent}.identity`;
  }

  get all(): string {
    return `${this.#prefix}/`;
  }

  get staging(): string {
    return `${this.#prefix}/${STAGING}/`;
  }

  /** The bytes of a session's parts, once its upload is complete. */
  body(session: string): string {
    return `${this.staging}${session}/body`;
  }

  /** The bytes after those of the parts. */
  tail(session: string): string {
    return `${this.staging}${session}/tail`;
  }

  /** The session that a key below `staging` belongs to. */
  sessionOf(key: string): string {
    return key.slice(this.staging.length).split('/', 1)[0] ?? '';
  }
}
