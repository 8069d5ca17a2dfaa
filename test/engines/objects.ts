import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Test } from 'tap';
import type { ObjectBackend } from '#lib/objects/backend.ts';
import { guardStore } from '#lib/objects/guarded-store.ts';
import { openLocalBackend } from '#lib/objects/local/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { MakeObjectStore } from '../conformance/objects/harness.ts';
import { claimingNothing, shared, signedUrls } from '../doubles/objects.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { type Engine, engines } from './engines.ts';
import { MANTA_MODES, mantaUnderTest } from './manta.ts';
import { radosgwAbsent, startRadosgw } from './radosgw.ts';
import { makeS3, s3DoubleServer, sharedServer } from './s3.ts';

export interface ObjectsUnderTest extends Engine {
  readonly make: MakeObjectStore;
}

/** Staged and temporary files, and directories below which nothing lies. */
function residueOf(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  const empty = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((directory) => !paths.some((path) => path.startsWith(`${directory}/`)));
  const staged = paths.filter((path) => path.startsWith(`${join(root, 'staging')}/`));
  return [...staged, ...empty].map((path) => relative(root, path)).filter((path) => path !== 'staging');
}

/** @param of what is made of the files' backend, for a datacenter of that name */
function makeOver(of: (backend: ObjectBackend, datacenter: string) => Promise<ObjectBackend> | ObjectBackend) {
  return async (t: Test) => {
    const root = await temporaryFolder(t);
    const opened: ObjectStore[] = [];
    const open = async (datacenter: string) => {
      const store = guardStore(await of(await openLocalBackend({ root }), datacenter));
      opened.push(store);
      return store;
    };
    t.teardown(() => Promise.all(opened.map((store) => store.close())));
    const reopen = () => open('us-own-1');
    return { store: await reopen(), reopen, sibling: open, residue: async () => residueOf(root) };
  };
}

const LOCAL: ObjectsUnderTest = { name: 'local files', make: makeOver((backend) => backend) };
const BARE: ObjectsUnderTest = { name: 'files that claim nothing', make: makeOver(claimingNothing) };
const SHARED: ObjectsUnderTest = {
  name: 'a store that several datacenters share',
  make: (t) =>
    makeOver(async (backend, datacenter) => {
      const urls = await signedUrls(backend);
      t.teardown(() => urls.close());
      return shared(backend, datacenter, urls);
    })(t),
};

const MANTAS = Object.entries(MANTA_MODES).map(
  ([name, mode]): ObjectsUnderTest => ({
    name,
    async make(t) {
      const { open, residue } = await mantaUnderTest(t, mode);
      return { store: await open(), reopen: () => open(), sibling: (datacenter) => open(datacenter), residue };
    },
  }),
);

const S3: ObjectsUnderTest = {
  name: 'S3',
  make: makeS3(sharedServer(() => s3DoubleServer({ pageSize: 5 }))),
};
const MANTA_S3: ObjectsUnderTest = {
  name: "Manta's S3 face",
  make: makeS3(sharedServer(() => s3DoubleServer({ manta: true, noConditions: true, noBatches: true }))),
};
const RADOSGW: ObjectsUnderTest = {
  name: "Ceph's S3",
  absent: radosgwAbsent,
  make: makeS3(sharedServer(startRadosgw)),
};

export const objectEngines = engines<ObjectsUnderTest>([LOCAL, BARE, SHARED, ...MANTAS, S3, MANTA_S3], [RADOSGW]);
