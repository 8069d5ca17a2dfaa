/** Every line of docs/fan-outs.md, with a datacenter that has an image and one that accepts its orders. */
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { startHub, until } from '../src/copies/fan-out/fixture.ts';
import { readJson } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

const FILE = 'docs/fan-outs.md';

test('every line of the page about orders to many datacenters does what it says', async (t) => {
  const example = readJson(FILE) as { readonly links: { readonly acceptOrders: object } };
  const { hub, image } = await startHub(t, { targets: { east: example.links.acceptOrders } });
  const tree = await treeOfLinks(t);
  const path = `${tree}/src/cli/bin:${process.env['PATH']}`;
  const shell = new Shell(tree, await temporaryFolder(t), { IMGAPI_URL: hub.url, PATH: path });
  const ended = 'imgapiadm fan-out IMAGE all -a ACCOUNT';
  await runDocument(t, {
    file: FILE,
    shells: { '': shell },
    values: { IMAGE: image, ACCOUNT: ALICE, URL: hub.url, TIME: new Date(Date.now() + 3600_000).toISOString() },
    after: { [ended]: async ({ stdout }) => void t.match(stdout, /east: succeeded/) },
  });
  const found = await hub.client().listFanOuts();
  t.equal(found.length, 3);
  for (const { uuid } of found) await until(hub, uuid, 'the end', ({ state }) => state === 'succeeded');
});
