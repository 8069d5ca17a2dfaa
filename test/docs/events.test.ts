/** The page on what happened to images: what it says to type, by an operator and by the owner. */
import { test } from 'tap';
import { startSite } from '../helpers/cloud.ts';
import { cloudapiInProcess, keyOf, makePeople } from '../helpers/cloudapi.ts';
import { makeImage } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { makeUser } from '../src/cli/triton-image/home.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on events does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const site = await startSite(t, 'us-east');
  const people = makePeople();
  const cloudapi = await cloudapiInProcess(t, { people: Object.values(people), imgapi: site.front.url });
  const shared = async (): Promise<string> => {
    const { image } = await makeImage(site.alice);
    await site.alice.addImageAcl(image.uuid, ['bob']);
    return image.uuid;
  };
  const uuid = await shared();
  const user = await makeUser(t, 'alice', keyOf(people.alice));
  const scratch = await temporaryFolder(t);
  const PATH = `${tree}/src/cli/bin:${process.env['PATH']}`;
  const operator = { PATH, IMGAPI_URL: site.server.url, IMGAPI_DATA_DIR: site.dataDir };
  await runDocument(t, {
    file: 'docs/events.md',
    shells: {
      '': new Shell(tree, scratch, operator),
      alice: new Shell(tree, user.home, { ...(user.env(cloudapi.url) as Record<string, string>), PATH }),
    },
    values: { IMAGE: uuid, '2026-01-31T00:00:00Z': '2020-01-31T00:00:00Z' },
    before: {
      'imgapiadm events IMAGE --kind delete -o time,actor,request': () => site.alice.deleteImage(uuid),
      'triton-image events my-image': async () => void (await shared()),
    },
    after: {
      'imgapiadm events IMAGE --kind delete -o time,actor,request': ({ stdout }) => void t.match(stdout, / alice +\S/),
      'imgapiadm -a alice events': ({ stdout }) => void t.match(stdout, /share/),
      'triton-image events --kind share my-image': ({ stdout }) => void t.match(stdout, /share +alice +entries bob/),
      'triton-image events IMAGE': ({ stdout }) => void t.match(stdout, / delete +alice/),
    },
  });
});
