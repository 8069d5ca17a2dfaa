import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Test } from 'tap';
import { openLocalStore } from '#lib/objects/local/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { objectStoreConformance } from '../../conformance/objects.ts';

/** Staged and temporary files, and directories below which nothing lies. */
function residueOf(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  const empty = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((directory) => !paths.some((path) => path.startsWith(`${directory}/`)));
  const staged = paths.filter((path) => path.startsWith(`${join(root, 'staging')}/`));
  return [...staged, ...empty].map((path) => relative(root, path)).filter((path) => path !== 'staging');
}

async function makeLocal(t: Test) {
  const root = t.testdir();
  const opened: ObjectStore[] = [];
  const reopen = async () => {
    const store = await openLocalStore({ root });
    opened.push(store);
    return store;
  };
  t.teardown(() => Promise.all(opened.map((store) => store.close())));
  return { store: await reopen(), reopen, residue: async () => residueOf(root) };
}

objectStoreConformance('local files', makeLocal);
