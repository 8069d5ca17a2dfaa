/**
 * The validator that imgadm and IMGAPIs use, over what a client that asks for `*` gets: of each image that there can be
 * here, those included that only versions 3 and later know all of.
 */
import { createRequire } from 'node:module';
import { test } from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import { ALICE, BOB, CAROL } from '../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../helpers/images.ts';
import { waitFor } from '../helpers/wait.ts';
import { fakeSource, json } from '../src/images/fake-source.ts';
import { nameOf, SERVED_MODES, type Served, serve } from './modes.ts';

type Problems = readonly { readonly field: string; readonly code: string; readonly message?: string }[] | null;
type Validate = (manifest: object, options?: object) => Problems;

const require = createRequire(import.meta.url);

const validators = require('imgmanifest') as {
  readonly validateMinimalManifest: Validate;
  readonly validateDcManifest: Validate;
  readonly validatePublicManifest: Validate;
  readonly validatePrivateManifest: Validate;
};

/** As an IMGAPI of that mode that takes the image over: it knows for itself whether it is activated. */
function problemsOf({ mode }: Served, image: Image): Problems {
  // The validator of the minimum throws at channels; imgadm gets none unless it names one.
  const { channels: _channels, ...asRead } = image;
  const minimal = validators.validateMinimalManifest(asRead);
  if (minimal || image.state === 'creating') return minimal;
  const record = { ...image, activated: ['active', 'disabled'].includes(image.state) };
  const withChannels = { channelFromName: {} };
  if (mode === 'dc') return validators.validateDcManifest(record);
  return mode === 'public'
    ? validators.validatePublicManifest(record, withChannels)
    : validators.validatePrivateManifest(record, withChannels);
}

const ZVOL = {
  ...{ type: 'zvol', os: 'linux', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10240 },
  requirements: {
    ...{ brand: 'bhyve', bootrom: 'uefi', min_ram: 256, max_ram: 1024, ssh_key: true },
    networks: [{ name: 'net0', description: 'public' }],
    min_platform: { '7.0': '20141030T081701Z' },
  },
};
const EVERYTHING = {
  ...{ description: 'x'.repeat(500), homepage: 'https://example.com/', eula: 'http://example.com/eula' },
  ...{ tags: { role: 'os', n: 1, t: true, deep: { a: [1] } }, users: [{ name: 'root' }], generate_passwords: true },
  ...{ billing_tags: ['one'], traits: { a: true, b: 'x', c: ['y'] }, inherited_directories: ['/usr'] },
};

async function fill({ server, operator, visibility, mode }: Served): Promise<void> {
  const make = (fields: object = {}, options: object = {}) =>
    makeImage(operator, { ...visibility, ...fields }, { owner: ALICE, size: 100, ...options });
  const base = (await make()).image.uuid;
  await make({ origin: base });
  await make(ZVOL);
  await make(EVERYTHING);
  await make({}, { activate: false });
  await operator.createImage({ ...MANIFEST, ...visibility, owner: ALICE });
  await operator.disableImage((await make()).image.uuid);
  await make({ acl: [BOB, CAROL] });
  if (mode !== 'dc') return;
  const shared = (await make()).image.uuid;
  await operator.addImageAcl(shared, ['bob', 'nobody-yet', CAROL]);
  await server.client({ account: BOB }).cloneImage(shared);
  await operator.updateImage((await make({}, { activate: false })).image.uuid, {
    ...{ state: 'failed', error: { code: 'X', message: 'it broke' } },
  });
  await copyThatNeverEnds(server.client({ account: ALICE }));
}

/** The datacenter `elsewhere` has the image, and no byte of its file. */
async function copyThatNeverEnds(alice: ReturnType<Served['server']['client']>): Promise<void> {
  await alice.copyImageFromDc(NEVER, { datacenter: 'elsewhere' });
  await waitFor('the placeholder', async () => (await alice.getImage(NEVER).catch(() => undefined)) !== undefined);
}

const NEVER = '99999999-9999-4999-8999-999999999999';

/** Nobody but operators sees what is not active, and they have to sign where there are others. */
const modes = SERVED_MODES.filter(({ mode, authType }) => (mode === 'dc') === (authType === 'none'));

for (const mode of modes) {
  test(`in ${nameOf(mode)} every manifest is valid for older clients and servers`, async (t) => {
    const file = { sha1: 'a'.repeat(40), size: 1000, compression: 'gzip' };
    const manifest = { ...MANIFEST, v: 2, uuid: NEVER, owner: ALICE, public: false, state: 'active', disabled: false };
    const elsewhere = await fakeSource(t, {
      [`/images/${NEVER}`]: json({ ...manifest, published_at: '2020-01-02T03:04:05.006Z', files: [file] }),
      [`/images/${NEVER}/file`]: () => {},
    });
    const served = await serve(t, mode, {
      ...(mode.mode === 'dc' && { imgapiUrlFromDatacenter: { elsewhere: elsewhere.url } }),
    });
    await fill(served);
    const listed = (await served.call('listImages', { state: 'all' })) as unknown as readonly Image[];
    t.equal(listed.length, mode.mode === 'dc' ? 12 : 8);
    for (const image of listed) {
      const what = `${image.state} ${image.type} ${Object.keys(image).join(' ')}`;
      t.same(problemsOf(served, image), null, what);
      const one = (await served.call('getImage', image.uuid)) as unknown as Image;
      t.same(one, image, 'alone it is as in the list');
    }
    const states = new Set(listed.map(({ state }) => state));
    t.same([...states].toSorted(), [
      ...['active', ...(mode.mode === 'dc' ? ['creating'] : []), 'disabled'],
      ...[...(mode.mode === 'dc' ? ['failed'] : []), 'unactivated'],
    ]);
  });
}
