/** The units of the tree, as those of the Debian package. */

export const INSTALLED = '/usr/lib/imgapi';

export function packagedUnit(unit: string): string {
  return (
    unit
      // What has to be done first is done by the package.
      .replace(/^#[^[]*(?=\[Unit\])/, '')
      .replaceAll('/opt/imgapi', INSTALLED)
      .replace(/^(ExecStart=\S+\/node-24) (src\/\S*main)\.ts/m, '$1 --enable-source-maps $2.js')
  );
}
