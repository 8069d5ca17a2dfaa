/** What a Manta keeps, in memory: directories, and objects whose bytes never change. */
import { createHash, randomUUID } from 'node:crypto';
import { MantaFault } from './errors.ts';

export interface StoredObject {
  readonly kind: 'object';
  readonly etag: string;
  readonly bytes: Buffer;
  /** Base64. */
  readonly md5: string;
  readonly mtime: Date;
  readonly contentType: string;
  readonly copies: number;
  /** `m-*` and others that come back as they were given. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Directory {
  readonly kind: 'directory';
  readonly mtime: Date;
  readonly children: Map<string, Node>;
}

export type Node = StoredObject | Directory;

/** The parts of a path: login, top directory, and what is below. */
export type Parts = readonly string[];

export function newDirectory(now: number): Directory {
  return { kind: 'directory', mtime: new Date(now), children: new Map() };
}

export function newObject(
  bytes: Buffer,
  of: Pick<StoredObject, 'contentType' | 'copies' | 'headers'>,
  now: number,
): StoredObject {
  const md5 = createHash('md5').update(bytes).digest('base64');
  return { kind: 'object', etag: randomUUID(), bytes, md5, mtime: new Date(now), ...of };
}

function asText(parts: Parts): string {
  return `/${parts.join('/')}`;
}

export class Tree {
  readonly #top: Directory;
  /** Entries that a directory may have. */
  readonly limit: number;

  constructor(limit: number, now: number) {
    this.limit = limit;
    this.#top = newDirectory(now);
  }

  /** An account's directories are there as soon as it is. */
  addAccount(login: string, tops: readonly string[], now: number): void {
    const root = newDirectory(now);
    for (const top of tops) root.children.set(top, newDirectory(now));
    this.#top.children.set(login, root);
  }

  find(parts: Parts): Node | undefined {
    let at: Node | undefined = this.#top;
    for (const part of parts) at = at?.kind === 'directory' ? at.children.get(part) : undefined;
    return at;
  }

  /** @throws MantaFault if the parent is missing, no directory, or full */
  parentOf(parts: Parts): Directory {
    const above = parts.slice(0, -1);
    const parent = this.find(above);
    if (parent === undefined) throw new MantaFault('DirectoryDoesNotExist', `${asText(above)} does not exist`);
    if (parent.kind !== 'directory') throw new MantaFault('ParentNotDirectory', `${asText(above)} is not a directory`);
    const name = parts.at(-1) ?? '';
    if (!parent.children.has(name) && parent.children.size >= this.limit) {
      throw new MantaFault('DirectoryLimitExceeded', `${asText(above)} has too many entries`);
    }
    return parent;
  }

  put(parts: Parts, node: Node): void {
    this.parentOf(parts).children.set(parts.at(-1) ?? '', node);
  }

  remove(parts: Parts): void {
    this.parentOf(parts).children.delete(parts.at(-1) ?? '');
  }

  /** Paths of everything below the accounts' own directories; directories end with a slash. */
  all(): string[] {
    const found: string[] = [];
    const walk = (directory: Directory, at: Parts): void => {
      for (const [name, node] of directory.children) {
        const parts = [...at, name];
        if (parts.length > 2) found.push(node.kind === 'directory' ? `${asText(parts)}/` : asText(parts));
        if (node.kind === 'directory') walk(node, parts);
      }
    };
    walk(this.#top, []);
    return found.sort();
  }
}
