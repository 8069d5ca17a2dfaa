/** The page for accounts as alice and bob go by it, in a cloud of three datacenters. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { link, MiB, type Site, startSite } from '../helpers/cloud.ts';
import { cloudapiInProcess, keyOf, makeKey, makePeople, type Person, type SubPerson } from '../helpers/cloudapi.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeImage } from '../helpers/images.ts';
import { makeUser } from '../src/cli/triton-image/home.ts';
import { readJson } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

const NAMES = ['us-sw-1', 'us-west-1', 'us-east-1'] as const;

/** The datacenters by name, each linked with the first, and the URLs of their CloudAPIs. */
async function startPlaces(t: Test, people: Readonly<Record<string, Person>>) {
  const started = await Promise.all(NAMES.map(async (name) => [name, await startSite(t, name)] as const));
  const sites = Object.fromEntries(started) as Record<(typeof NAMES)[number], Site>;
  await link(sites['us-sw-1'], sites['us-west-1']);
  await link(sites['us-sw-1'], sites['us-east-1']);
  const ports = await Promise.all(NAMES.map(async (name) => [name, await freePort()] as const));
  const datacenters = Object.fromEntries(ports.map(([name, port]) => [name, `http://127.0.0.1:${port}`]));
  for (const [name, port] of ports) {
    const keys = { address: '127.0.0.1', port, datacenterName: name, datacenters, uploads: true };
    await cloudapiInProcess(t, { people: Object.values(people), imgapi: sites[name].front.url, keys });
  }
  return { sites, datacenters };
}

test('every line of the page for accounts does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const made = makePeople();
  const {
    users: [deploy],
    ...policies
  } = subUsersOfThePage();
  const people = { ...made, alice: { ...made.alice, ...policies, users: [deploy] } };
  const { sites, datacenters } = await startPlaces(t, people);
  const { network, alice } = sites['us-sw-1'];
  const base = await makeImage(alice, { name: 'my-base' });
  await makeImage(alice, { origin: base.image.uuid });
  await makeImage(alice, { name: 'big-image' }, { size: 8 * MiB });
  const users = {
    alice: await makeUser(t, 'alice', keyOf(people.alice)),
    bob: await makeUser(t, 'bob', keyOf(people.bob)),
    deploy: await makeUser(t, 'deploy', keyOf(deploy)),
  };
  const bobs = users.bob.env(datacenters['us-sw-1'] ?? '') as Record<string, string>;
  const deploys = users.deploy.env(datacenters['us-sw-1'] ?? '') as Record<string, string>;
  const tritons = `${withTriton(users.bob.home)}:${process.env['PATH']}`;
  const PATH = `${tree}/src/cli/bin:${tritons}`;
  const alices = new Shell(tree, users.alice.home, { HOME: users.alice.home, PATH: tritons });
  const shells = {
    '': alices,
    alice: alices,
    bob: new Shell(tree, users.bob.home, { ...bobs, PATH }),
    deploy: new Shell(tree, users.deploy.home, { ...deploys, PATH }),
  };
  const order = 'triton-image -U $WEST cp --no-wait us-sw-1 big-image';
  let orders = 0;
  await runDocument(t, {
    file: 'docs/accounts.md',
    shells,
    values: {
      'https://us-sw-1.api.cloud.example.com': datacenters['us-sw-1'] ?? '',
      'https://us-west-1.api.cloud.example.com': datacenters['us-west-1'] ?? '',
      'SHA256:…': keyOf(people.alice).key.publicKey.fingerprints.sha256,
    },
    before: {
      // The first takes minutes, so that it is still under way when it is canceled.
      [order]: async () => {
        network.trouble = ++orders === 1 ? { kind: 'slow', bytesPerSecond: MiB / 16 } : { kind: 'none' };
      },
    },
    after: {
      "cloudapi '/my/images?owner=me'": ({ stdout }) => void t.match(JSON.parse(stdout), [{ owner_login: 'alice' }]),
      'cloudapi "/my/images/$IMAGE?action=update" -d description=\'what it is for\'': ({ stdout }) =>
        void t.match(JSON.parse(stdout), { name: 'my-image', description: 'what it is for' }),
      'triton-image ls --shared': ({ stdout }) => void t.match(stdout, 'my-image'),
      'triton image list': ({ stdout }) => void t.match(stdout, 'my-image'),
      'triton image get my-image': ({ stdout }) =>
        void t.match(JSON.parse(stdout), { name: 'my-image', owner_login: 'alice' }),
      'triton-image ancestry my-image': ({ stdout }) => void t.match(stdout, 'my-base'),
      'triton-image usage my-image': ({ stdout }) => void t.match(stdout, /on top of it/),
    },
  });
  const copied = await sites['us-east-1'].alice.listImages({ name: 'my-image' });
  t.equal(copied.length, 1);
});

interface OfThePage extends Pick<Person, 'roles' | 'policies'> {
  readonly users: readonly [SubPerson];
}

/** What the page has in alice's entry of the accounts file, with a key for the sub-user. */
function subUsersOfThePage(): OfThePage {
  const { users, roles, policies } = readJson('docs/accounts.md') as OfThePage;
  return {
    users: [{ ...users[0], keys: { ci: makeKey('ed25519') } }],
    ...(roles && { roles }),
    ...(policies && { policies }),
  };
}

/** The folder of a `triton` that runs on the Node of the tests. */
function withTriton(home: string): string {
  const folder = join(home, 'programs');
  mkdirSync(folder);
  const file = join(folder, 'triton');
  const entry = new URL('../../node_modules/triton/bin/triton', import.meta.url).pathname;
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`);
  chmodSync(file, 0o755);
  return folder;
}
