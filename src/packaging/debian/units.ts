/** The units of the tree, as those of the Debian package. */
import { compiledUnit } from '../compile.ts';

export const INSTALLED = '/usr/lib/imgapi';

export function packagedUnit(unit: string): string {
  return compiledUnit(
    unit
      // What has to be done first is done by the package.
      .replace(/^#[^[]*(?=\[Unit\])/, '')
      .replaceAll('/opt/imgapi', INSTALLED),
  );
}
