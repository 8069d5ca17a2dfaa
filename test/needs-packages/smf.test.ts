import { readdirSync } from 'node:fs';
import { test } from 'tap';
import { complaints, missing } from './installed.ts';

const MANIFESTS = 'smf/manifests';

test('every SMF manifest is well-formed XML', { skip: missing('xmllint') }, async (t) => {
  const files = readdirSync(MANIFESTS).filter((name) => name.endsWith('.xml'));
  t.ok(files.length > 0);
  for (const file of files) t.equal(complaints('xmllint', ['--noout', '--nonet', `${MANIFESTS}/${file}`]), '', file);
});

test('the SMF manifest starts what is in the tree', { skip: missing('xmllint') }, async (t) => {
  const start = complaints('xmllint', [
    '--nonet',
    '--noout',
    '--xpath',
    'boolean(//exec_method[@name="start"][contains(@exec, "src/main.ts -f /data/imgapi/etc/imgapi.config.json")])',
    `${MANIFESTS}/imgapi.xml`,
  ]);
  t.equal(start, '');
});
