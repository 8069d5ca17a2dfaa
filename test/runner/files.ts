/** Which test files a run takes. */
import { globSync, statSync } from 'node:fs';
import { relative } from 'node:path';

const PACKAGE_TESTS = 'test/needs-packages';

/**
 * @param paths files, directories, or parts of paths; none means all
 * @param packages whether it is the tests that need Debian packages, or all others
 */
export function testFiles(paths: readonly string[], packages: boolean): string[] {
  const all = globSync('test/**/*.test.ts').toSorted();
  const ours = all.filter((file) => file.startsWith(`${PACKAGE_TESTS}/`) === packages);
  if (paths.length === 0) return ours;
  // Whoever names a file means it, wherever it is.
  const named = paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  const parts = paths.filter((path) => !named.includes(path)).map((path) => path.replace(/^\.\//, ''));
  return [
    ...new Set([
      ...named.map((path) => relative(process.cwd(), path)),
      ...ours.filter((file) => parts.some((part) => file.includes(part))),
    ]),
  ];
}
