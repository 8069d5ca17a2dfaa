/**
 * Makes one file of the modules of those packages that have hundreds: finding and linking them was a third of the
 * processor time that a start of any of the programs takes. Run when packages have been installed; the packages stay where they
 * are, and what their other entries lead to stays as it is.
 *
 *   node src/packaging/join-modules.ts
 */
import { readFile, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** ES modules whose only entry that programs use is the main one. */
const PACKAGES = ['typebox', 'kysely'];

const JOINED = '// Joined from the modules of this package.';

/** Does nothing if it was done before. */
async function joinModules(name: string): Promise<void> {
  const entry = fileURLToPath(import.meta.resolve(name));
  if ((await readFile(entry, 'utf8')).startsWith(JOINED)) return;
  const { build } = await import('esbuild');
  const joined = `${entry}.${process.pid}.tmp`;
  try {
    await build({
      entryPoints: [entry],
      outfile: joined,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node24',
      keepNames: true,
      legalComments: 'inline',
      banner: { js: JOINED },
      logLevel: 'warning',
    });
    await rename(joined, entry);
  } finally {
    await rm(joined, { force: true });
  }
}

for (const name of PACKAGES) {
  try {
    await joinModules(name);
  } catch (error) {
    // esbuild has no build for every platform that Node runs on.
    process.stderr.write(`${name} stays in many files, and starts take longer: ${(error as Error).message}\n`);
  }
}
