/** Which test files a run takes. */
import { globSync, statSync } from 'node:fs';
import { relative } from 'node:path';

const PACKAGE_TESTS = 'test/needs-packages';

/** Those that take minutes, most of them waiting, begin first, so that none of them is what a whole run waits for. */
const FIRST = [
  'test/lib/objects/conformance.test.ts',
  'test/faults/move-dies.test.ts',
  'test/src/maintenance/tasks/processes.test.ts',
  'test/src/imgapi/visibility.test.ts',
  'test/src/service/supervisor/supervisor.test.ts',
  'test/src/migrations/documents.test.ts',
  'test/src/migrations/kills.test.ts',
  'test/src/migrations/files.test.ts',
  'test/faults/cluster/one-dies.test.ts',
  'test/faults/cluster/one-is-cut-off.test.ts',
  'test/faults/cluster/starts.test.ts',
  'test/faults/cluster/stores-die.test.ts',
];

/**
 * @param paths files, directories, or parts of paths; none means all
 * @param packages whether it is the tests that need Debian packages, or all others
 */
export function testFiles(paths: readonly string[], packages: boolean): string[] {
  const all = globSync('test/**/*.test.ts').toSorted();
  const ours = all.filter((file) => file.startsWith(`${PACKAGE_TESTS}/`) === packages);
  if (paths.length === 0)
    return [...ours.filter((file) => FIRST.includes(file)), ...ours.filter((file) => !FIRST.includes(file))];
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
