/**
 * Finds the project's own modules by their names alone. For each of two thousand imports Node would look whether the file is
 * there, whether a part of its path is a link, and to which package it belongs: that was a fifth of the time that a start takes.
 */
import { registerHooks } from 'node:module';

const ROOT = new URL('../../', import.meta.url).href;
/** As in `imports` of package.json. */
const LIB = { name: '#lib/', url: `${ROOT}lib/` };
const SRC = { name: '#src/', url: `${ROOT}src/` };
/** As this file is, so are all: TypeScript in the tree, JavaScript in a package. */
const OURS = import.meta.url.endsWith('.ts')
  ? ({ ending: '.ts', format: 'module-typescript' } as const)
  : ({ ending: '.js', format: 'module' } as const);

/** Where an import leads that a file of ours makes of another one; undefined for any other, which Node has to find. */
export function ownModule(specifier: string, parent: string | undefined): string | undefined {
  if (!specifier.endsWith(OURS.ending)) return undefined;
  if (parent === undefined || !(parent.startsWith(LIB.url) || parent.startsWith(SRC.url))) return undefined;
  if (specifier.startsWith('./') || specifier.startsWith('../')) return new URL(specifier, parent).href;
  for (const { name, url } of [LIB, SRC]) if (specifier.startsWith(name)) return url + specifier.slice(name.length);
  return undefined;
}

/** Applies to later imports, so call it before `import()`. */
export function findOwnModules(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const url = ownModule(specifier, context.parentURL);
      return url === undefined ? next(specifier, context) : { url, format: OURS.format, shortCircuit: true };
    },
  });
}
