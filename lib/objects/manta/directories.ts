/** Directories come with the first name in them, and go with the last. */
import { hasMantaCode, isAbsent, MantaError } from './failure.ts';
import type { Names } from './names.ts';

/** Each failed attempt means that somebody has just removed the last name of the directory. */
const MOST_ATTEMPTS = 200;

export class Directories {
  readonly #names: Names;
  /** Those above it, and itself, are never removed. */
  readonly #root: string;

  constructor(names: Names, root: string) {
    this.#names = names;
    this.#root = root;
  }

  /**
   * Makes a call that puts a name somewhere. It is made without a look at the directory, which is there most often; Manta
   * refuses it before any byte flows if it is not, and then the directory is made.
   */
  async placing<T>(path: string, call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (!hasMantaCode(error, 'DirectoryDoesNotExist') || attempt === MOST_ATTEMPTS) throw error;
        await this.make(parentOf(path));
      }
    }
  }

  /** @throws MantaError when an object is in the way */
  async make(path: string): Promise<void> {
    const missing: string[] = [path];
    for (let attempt = 1; missing.length > 0; attempt += 1) {
      const at = missing.at(-1) ?? '';
      try {
        await this.#mkdir(at);
        missing.pop();
      } catch (error) {
        if (!hasMantaCode(error, 'DirectoryDoesNotExist') || attempt === MOST_ATTEMPTS) throw error;
        missing.push(parentOf(at));
      }
    }
  }

  /** Removes directories in which nothing is, from this one upwards. */
  async prune(path: string): Promise<void> {
    for (let at = path; at.startsWith(`${this.#root}/`); at = parentOf(at)) {
      // Manta's DELETE takes whatever has the name, so an object in this place would go.
      const found = await this.#names.info(at);
      if (found?.type === 'object' || (found?.type === 'directory' && found.entries > 0)) return;
      if (found !== undefined && !(await this.#remove(at))) return;
    }
  }

  async #mkdir(path: string): Promise<void> {
    // In Manta, a directory silently takes the place of an object.
    if ((await this.#names.info(path))?.type === 'object') {
      throw new MantaError(400, 'ParentNotDirectory', `${path} is an object`);
    }
    await this.#names.mkdir(path);
  }

  async #remove(path: string): Promise<boolean> {
    try {
      await this.#names.unlink(path);
      return true;
    } catch (error) {
      if (hasMantaCode(error, 'DirectoryNotEmpty')) return false;
      if (isAbsent(error)) return true;
      throw error;
    }
  }
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
