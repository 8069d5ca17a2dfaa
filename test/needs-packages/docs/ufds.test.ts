/** docs/engines/ufds.md, with slapd as the directory. */
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { runDocument } from '../../docs/runner/run-document.ts';
import { documentServer } from '../../docs/runner/servers.ts';
import { workplaceFor } from '../../docs/runner/workplace.ts';
import { SLAPD_ADMIN, SLAPD_BIND, slapdAbsent, startSlapd } from '../../engines/slapd.ts';
import { ALICE, PEOPLE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { entriesOf } from '../../helpers/ufds-entries.ts';

test('every line of the page on UFDS does what it says', { skip: slapdAbsent() ?? false }, async (t) => {
  const slapd = await startSlapd(t, entriesOf(PEOPLE));
  const { tree, config, url, client, shell, configure } = await workplaceFor(t);
  await configure({ accounts: { file: undefined }, ufds: { url: slapd.url, ...SLAPD_BIND } });
  let image = '';
  await runDocument(t, {
    file: 'docs/engines/ufds.md',
    shells: { '': shell() },
    notRun: ["it needs root, and would replace this machine's directory"],
    values: {
      CONFIG: config,
      LDAP_URL: slapd.url,
      ADMIN_PASSWORD: SLAPD_ADMIN.bindPassword,
      PASSWORD: SLAPD_BIND.bindPassword,
      IMAGE: () => image,
      'http://10.99.99.21': url,
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': async (line) => {
        await documentServer(t, line, tree).start();
        image = (await makeImage(client, {}, { owner: ALICE })).image.uuid;
      },
    },
    after: {
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { directory: { ok: true } } });
      },
    },
  });
  const sharee = new ImgapiClient({ url, account: '3f2f0cc9-2ab1-4f43-a3c6-2f29e0f1ad0b' });
  t.teardown(() => sharee.destroy());
  t.equal((await sharee.getImage(image)).uuid, image, 'the share reaches whom it names');
});
