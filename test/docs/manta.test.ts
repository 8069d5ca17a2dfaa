/** The page on Manta: what it says to type, with a double of Manta. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { parseRule } from '#lib/policies/parse-rule.ts';
import { mantaFor } from '../engines/manta.ts';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { workplaceFor } from './runner/workplace.ts';

const FILE = 'docs/engines/manta.md';

test('the rule of the page on Manta is one', async (t) => {
  const [, rule = ''] = /^```policy\n(.*)\n```/m.exec(readFileSync(FILE, 'utf8')) ?? [];
  const { allowsAction } = parseRule(rule);
  for (const action of ['getobject', 'deletedirectory']) t.ok(allowsAction(action), action);
});

test('every line of the page on Manta does what it says', async (t) => {
  const { double, keys } = await mantaFor(t);
  const { tree, scratch, config, url, client, shell, configure } = await workplaceFor(t);
  const key = join(scratch, 'id_rsa');
  let image = '';
  /** As the document finds it out. */
  let keyId = '';
  await runDocument(t, {
    file: FILE,
    notRun: ['it needs a cloud'],
    shells: { '': shell() },
    values: { CONFIG: config, KEY: key, IMAGE: () => image, 'http://10.99.99.21': url },
    before: {
      'imgapiadm check-config CONFIG --strict': () => configure({ ...keys, manta: { ...keys.manta, key, keyId } }),
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': async (line) => {
        double.addAccount('admin', readFileSync(`${key}.pub`, 'utf8'));
        await documentServer(t, line, tree).start();
        image = (await makeImage(client, {}, { owner: ALICE })).image.uuid;
      },
    },
    after: {
      "ssh-keygen -l -E md5 -f KEY | cut -d ' ' -f 2 | cut -d : -f 2-": ({ stdout }) => {
        keyId = stdout.trim();
      },
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { objects: { ok: true } } });
      },
    },
  });
  await client.deleteImage(image);
});
