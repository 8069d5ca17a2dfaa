import { readdirSync } from 'node:fs';
import { test } from 'tap';
import { complaints, missing } from './installed.ts';

const MANIFESTS = 'smf/manifests';

test('every SMF manifest is well-formed XML', { skip: missing('xmllint') }, async (t) => {
  const files = readdirSync(MANIFESTS).filter((name) => name.endsWith('.xml'));
  t.ok(files.length > 0);
  for (const file of files) t.equal(complaints('xmllint', ['--noout', '--nonet', `${MANIFESTS}/${file}`]), '', file);
});
