/**
 * What an operation was allowed to do when it began counts for nothing when it writes: for every operation that may
 * write an image record, somebody else's write comes right before its own, as from another process. An operation
 * without an entry here fails.
 */
import { test } from 'tap';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import type { Write } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { tombstone } from '#src/images/record/tombstones.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { recordOf } from '../images/fixture.ts';
import { type Ask, asker } from './fixtures/ask.ts';
import { BYTES, ICON, ICON_RECORD, imageRecord, putObject, putRecords, type State } from './fixtures/records.ts';

/** A request that goes through unless something comes in between. */
interface Race extends Ask {
  /** Behind that of the row. */
  readonly query?: string;
  /** Of the image when the request begins; `active` unless given. */
  readonly state?: State;
  /** Who asks; Bob, whose image it is, unless given. Carol is one that it is shared with. */
  readonly account?: string;
  /** How it is told that the image is not what it was, where that is not as for a change by its owner. */
  readonly unshared?: Expected;
  /** The same of an image that is on its way from another datacenter by then. */
  readonly placeholder?: Expected;
}

interface Expected {
  readonly status: number;
  readonly code?: string;
}

/** No image record of the caller's is written, or not by the operation itself. */
interface NoRace {
  readonly because: string;
}

const octets = { 'content-type': 'application/octet-stream' } as const;
const png = { 'content-type': 'image/png' } as const;

const OK: Expected = { status: 200 };
const NOT_SHARED: Expected = { status: 422, code: 'ImageNotShared' };

const RACES: Readonly<Record<string, readonly Race[] | NoRace>> = {
  UpdateImage: [{ json: { homepage: 'https://example.com/' } }, { json: { owner: ALICE } }, { json: { acl: [CAROL] } }],
  ActivateImage: [{ state: 'unactivated' }],
  EnableImage: [{ state: 'disabled' }],
  DisableImage: [{}],
  ProtectImage: [{ headers: { 'accept-version': '~3' } }],
  UnprotectImage: {
    because: 'it is ProtectImage with the other answer, and writes nothing where nothing is protected',
  },
  ChannelAddImage: [{ json: { channel: 'release' } }],
  AddImageAcl: [{ json: [ALICE] }],
  RemoveImageAcl: [
    { json: [CAROL] },
    { json: [CAROL], account: CAROL, unshared: { status: 422, code: 'NotImageOwner' } },
  ],
  AddImageFile: [{ state: 'unactivated', query: 'compression=none', body: BYTES, headers: octets }],
  AddImageIcon: [{ body: ICON, headers: png }],
  PostImageIcon: [{ body: ICON, headers: png }],
  DeleteImageIcon: [{}],
  DeleteImage: [{ placeholder: OK }, { state: 'unactivated', placeholder: OK }],
  AcceptImage: [
    { account: CAROL, headers: { 'accept-version': '~3' }, unshared: { status: 422, code: 'NotImageOwner' } },
  ],
  CloneImage: [{ account: CAROL, unshared: NOT_SHARED, placeholder: NOT_SHARED }],

  BeginImageUpload: { because: 'it writes nothing to the image' },
  AppendImageUpload: { because: 'it places a file as AddImageFile does: see test/src/images/uploads' },
  CancelImageUpload: { because: 'it writes nothing to the image' },
  AddImageFileFromUrl: { because: 'it is AddImageFile with bytes from elsewhere, for operators' },
  ExportImage: { because: 'it writes to Manta' },
  AdminChangeImageStor: { because: 'it moves bytes between stores: see test/src/images/moving/concurrent.test.ts' },
  PurgeImage: { because: 'the image is not there any more: see test/src/images/deleted/undelete.test.ts' },
  UndeleteImage: { because: 'the image is not there yet: see test/src/images/deleted/undelete.test.ts' },
  AdminImportImage: {
    because: 'it makes an image, or completes one for operators: see import.test.ts and cells.test.ts',
  },
  CopyImageFromDc: { because: 'the table of copies decides: see cells.test.ts' },
  CopyImageToDcs: { because: 'it writes nothing to the image' },
  ImportImageFromDatacenter: { because: 'the table of copies decides: see cells.test.ts' },
  AdminImportRemoteImage: { because: 'the table of copies decides: see cells.test.ts' },
  CancelImageCopy: { because: 'placeholders change hands never: see cells.test.ts' },
  AdminPushDockerImage: { because: 'it writes nothing' },
  CreateImageFilePullUrl: { because: 'it writes a pull link' },
};

const OPERATIONS: Readonly<Record<string, Operation>> = IMGAPI;

function isWriting({ method, path }: Operation): boolean {
  return method !== 'GET' && path.startsWith('/images/:uuid');
}

test('every operation that writes to an image is in the table', async (t) => {
  const writing = Object.keys(OPERATIONS).filter((name) => isWriting(OPERATIONS[name]!));
  t.same(Object.keys(RACES).toSorted(), writing.toSorted());
});

interface Meanwhile {
  /** The request is made on the condition that the image is what it was. */
  readonly ifMatch?: true;
  readonly write: (record: ImageRecord) => ImageRecord;
  readonly expected: (race: Race, isGuarded: boolean) => Expected;
}

const NOT_FOUND: Expected = { status: 404, code: 'ResourceNotFound' };

const MEANWHILE: Readonly<Record<string, Meanwhile>> = {
  'given away': {
    write: (record) => ({ ...record, owner: ALICE, acl: [] }),
    // Nothing is left to Carol either; a clone says so in its own way.
    expected: ({ unshared }) => (unshared === NOT_SHARED ? unshared : NOT_FOUND),
  },
  'given away, and public': {
    write: (record) => ({ ...record, owner: ALICE, acl: [], public: true }),
    expected: ({ state = 'active', unshared }) =>
      state === 'unactivated' ? NOT_FOUND : (unshared ?? { status: 422, code: 'NotImageOwner' }),
  },
  deleted: { write: (record) => tombstone(record), expected: () => NOT_FOUND },
  'changed, and the request was for what it was': {
    ifMatch: true,
    write: (record) => ({ ...record, description: 'changed' }),
    expected: (_, isGuarded) => (isGuarded ? { status: 412, code: 'PreconditionFailed' } : OK),
  },
  'made a placeholder of a copy': {
    write: (record) => ({
      ...{ ...record, activated: false, state: 'creating', acl: [] },
      copy: { state: 'live', datacenter: 'elsewhere', sha1: '0'.repeat(40), size: 1 },
    }),
    expected: ({ account = BOB, placeholder }) =>
      placeholder ?? (account === BOB ? { status: 409, code: 'ImageCopyInProgress' } : NOT_FOUND),
  },
};

for (const [name, races] of Object.entries(RACES)) {
  if ('because' in races) continue;
  const operation = OPERATIONS[name]!;
  const isGuarded = 'if-match' in ((operation.headers?.['properties'] as object | undefined) ?? {});
  for (const race of races) {
    for (const [what, { write, expected, ifMatch }] of Object.entries(MEANWHILE)) {
      // Where there are channels, images are private or public all together.
      if (operation.where === 'channels' && what === 'given away, and public') continue;
      test(`${name} ${JSON.stringify(race.json ?? race.state ?? '')} by ${race.account === CAROL ? 'a sharee' : 'the owner'} of an image that is ${what} before the write`, async (t) => {
        const server = await startInProcess(t, operation.where === 'channels' ? WITH_CHANNELS : {});
        const { service } = server.imgapi;
        const record = imageRecord(race.state ?? 'active', {
          ...{ owner: BOB, acl: [CAROL], icon: ICON_RECORD },
          ...(operation.where === 'channels' && { channels: ['dev'] }),
        });
        const { uuid } = record;
        await putRecords(service, [record]);
        await putObject(service, uuid, 'file0', BYTES);
        await putObject(service, uuid, 'icon', ICON);
        const ask = asker(t, server.url);
        const path = pathOf(operation, uuid, race);
        const version = race.headers?.['accept-version'];
        const read = await ask(`/images/${uuid}?account=${race.account ?? BOB}`, {
          headers: { ...(version !== undefined && { 'accept-version': version }) },
        });
        const tag = read.headers['etag'] ?? '';
        const written = beforeTheWrite(service, uuid, write);
        const answer = await ask(path, {
          ...race,
          method: operation.method,
          headers: { ...race.headers, ...(ifMatch && { 'if-match': tag }) },
        });

        t.ok(written(), `something came in between: ${answer.status} ${answer.text}`);
        const wanted = expected(race, isGuarded);
        t.equal(answer.status === 204 ? 200 : answer.status, wanted.status, answer.text);
        if (wanted.code !== undefined) {
          t.equal(answer.json?.code, wanted.code, answer.text);
          const left = JSON.parse(JSON.stringify(written()));
          t.same(await recordOf(server, uuid), left, 'the image is as the other left it');
        } else if (name === 'DeleteImage') t.equal(await recordOf(server, uuid), undefined);
        else {
          t.match(await recordOf(server, uuid), { description: 'changed' }, 'and what the other wrote is not lost');
        }
      });
    }
  }
}

const WITH_CHANNELS = {
  mode: 'private',
  authType: 'none',
  channels: [
    { name: 'dev', description: 'for tests', default: true },
    { name: 'release', description: 'for all' },
  ],
};

function pathOf({ path, action }: Operation, uuid: string, { query, account = BOB }: Race): string {
  const parts = [action === undefined ? [] : `action=${action}`, query ?? [], `account=${account}`].flat();
  return `${path.replace(':uuid', uuid)}?${parts.join('&')}`;
}

/** Answers what was written, once it was. */
function beforeTheWrite(
  { store }: Service,
  uuid: string,
  write: (record: ImageRecord) => ImageRecord,
): () => ImageRecord | undefined {
  const batch = store.batch.bind(store);
  const isOfImage = ({ bucket, key }: Write): boolean => bucket.name === IMAGES.name && key === uuid;
  let written: ImageRecord | undefined;
  store.batch = async (writes, options) => {
    if (!written && writes.some(isOfImage)) {
      const stored = await store.get(IMAGES, uuid);
      if (!stored) throw new Error('there is no image to come in between');
      written = { ...write(stored.value), rev: (stored.value.rev ?? 0) + 1 };
      await batch([{ op: 'put', bucket: IMAGES, key: uuid, value: written, ifEtag: stored.etag }]);
    }
    return batch(writes, options);
  };
  return () => written;
}
