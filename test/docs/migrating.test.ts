/** The page on moving to other engines: what it says to type, with SQLite, Moray and PostgreSQL, local files and Manta. */
import { test } from 'tap';
import { MANTA_MODES, mantaFor } from '../engines/manta.ts';
import { postgresFor } from '../engines/postgres/postgres-for.ts';
import { ADMIN } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { spawnImgapi } from '../helpers/imgapi.ts';
import { startMoray } from '../src/migrations/fixture.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on moving to other engines does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const { keys: moray } = await startMoray(t);
  const { keys: manta } = await mantaFor(t, MANTA_MODES['Manta v1']);
  const { postgres } = (await postgresFor(t)).keys;
  const server = await spawnImgapi(t, { ...moray, ...manta, postgres });
  const { image } = await makeImage(server.client(), {}, { owner: ADMIN });
  const scratch = t.testdir();
  const path = `${tree}/src/cli/bin:${process.env['PATH']}`;
  await runDocument(t, {
    file: 'docs/migrating.md',
    shells: { '': new Shell(tree, scratch, { PATH: path, IMGAPI_URL: server.url, IMGAPI_DATA_DIR: server.dataDir }) },
    values: {},
    after: {
      'imgapiadm migrate documents --to moray --dry-run': ({ stdout }) => void t.match(stdout, /planned/),
      'imgapiadm migrations': ({ stdout }) => void t.match(stdout, /^documents +local +moray +succeeded/m),
      'imgapiadm migrate documents --to postgres --offline': ({ stdout }) => void t.match(stdout, /succeeded/),
      'imgapiadm migrate files --to manta': ({ stdout }) => void t.match(stdout, /succeeded, 1 of 1/),
    },
  });
  const backUp = `imgapiadm backup ${scratch}/backup`;
  const shell = new Shell(tree, `${scratch}/home`, { PATH: path, IMGAPI_DATA_DIR: server.dataDir });
  t.match(await shell.run(backUp), { status: 1, stderr: /DocumentsElsewhere.*the documents have moved to "moray"/ });
  const { files } = await server.client().getImage(image.uuid, { inclAdminFields: true });
  t.equal(files?.[0]?.stor, 'manta');
});
