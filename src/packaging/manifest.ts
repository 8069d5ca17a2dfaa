/** The `package.json` of the package that others install. */

import type { PackageJson } from './bundle.ts';
import { COMPILED_IMPORTS } from './compile.ts';

/** What has machine code in it, and what loads it. Where there is none for a platform, as for SmartOS, it is compiled. */
const MACHINE_CODE = {
  microtime: 'require("microtime")',
  'better-sqlite3': 'new (require("better-sqlite3"))(":memory:")',
} as const;

/** What was built is asked first, so that nothing is compiled where it need not be. npm brings node-gyp for scripts. */
function compileMissing(): string {
  return Object.entries(MACHINE_CODE)
    .map(([name, load]) => {
      const compile = `(cd node_modules/${name} && node-gyp rebuild --release --force_build=1)`;
      return `(node -e '${load}' 2>/dev/null || ${compile})`;
    })
    .join(' && ');
}

export function publishedManifest(own: PackageJson): PackageJson {
  const { name, version, description, engines, bin, dependencies = {} } = own;
  return {
    ...{ name, version, description, license: 'MPL-2.0', type: 'module', engines, bin },
    imports: COMPILED_IMPORTS,
    scripts: { postinstall: compileMissing() },
    dependencies,
    bundleDependencies: Object.keys(dependencies),
  };
}
