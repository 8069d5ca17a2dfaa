import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { test } from 'tap';
import { complaints, missing } from './installed.ts';

const UNITS = globSync('etc/*.service').toSorted();
/** Of ten, in tenths: `systemd-analyze security` calls it OK. */
const MOST_EXPOSED = 30;
const skip = missing('systemd-analyze');

for (const unit of UNITS) {
  test(`${unit} leaves the service little that it could do wrong`, { skip }, async (t) => {
    const args = ['security', '--no-pager', '--offline=yes', `--threshold=${MOST_EXPOSED}`, resolve(unit)];
    t.equal(complaints('systemd-analyze', args), '');
  });

  test(`${unit} is what systemd understands, once the service is installed`, { skip }, async (t) => {
    const folder = t.testdir();
    const file = join(folder, basename(unit));
    cpSync('src/cli/bin', join(folder, 'src/cli/bin'), { recursive: true });
    writeFileSync(file, readFileSync(unit, 'utf8').replaceAll('/opt/imgapi', folder));
    t.equal(complaints('systemd-analyze', ['verify', '--man=no', file]), '');
  });
}
