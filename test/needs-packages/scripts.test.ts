import { globSync } from 'node:fs';
import { test } from 'tap';
import { complaints, missing } from './installed.ts';

test('the shell scripts give shellcheck nothing to say', { skip: missing('shellcheck') }, async (t) => {
  const scripts = [
    '.ci/run',
    'etc/triton/boot/setup.sh',
    ...globSync('src/cli/bin/*'),
    ...globSync('src/packaging/debian/{postinst,prerm,postrm}'),
  ];
  for (const script of scripts) t.equal(complaints('shellcheck', [script]), '', script);
});
