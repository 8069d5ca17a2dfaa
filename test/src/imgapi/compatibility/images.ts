/** The images that rows speak of, by the name that stands for their UUID. */
import { randomUUID } from 'node:crypto';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import type { Service } from '#src/service/service.ts';
import { ADMIN, ALICE, BOB } from '../../../helpers/accounts.ts';
import { BYTES, FILE, ICON, ICON_RECORD, imageRecord, putObject, putRecords, type State } from '../fixtures/records.ts';

type Fields = Partial<ImageRecord>;

const LONG = 'x'.repeat(150);

/** Values that are names of images stand for their UUIDs. */
const KINDS = {
  active: { state: 'active' },
  shared: { state: 'active', fields: { acl: [BOB] } },
  disabled: { state: 'disabled' },
  new: { state: 'unactivated', fields: { files: [] } },
  ready: { state: 'unactivated' },
  tagged: { state: 'active', fields: { tags: ['x=1'], tagsObj: { x: '1' } } },
  lx: {
    state: 'active',
    fields: { type: 'lx-dataset', requirements: { min_platform: { '7.0': '20150101T000000Z' } } },
  },
  docker: { state: 'active', fields: { type: 'docker', os: 'linux' } },
  withIcon: { state: 'active', fields: { icon: ICON_RECORD } },
  /** For servers with channels: one in both, and one that builds on it in only one of them. */
  twoChannels: { state: 'active', fields: { channels: ['dev', 'release'] } },
  inRelease: { state: 'active', fields: { channels: ['release'], origin: '$twoChannels' } },
  /** A disabled image, an active one that builds on it, and one in between. */
  base: { state: 'disabled' },
  middle: { state: 'disabled', fields: { origin: '$base' } },
  child: { state: 'active', fields: { origin: '$middle' } },
} as const satisfies Readonly<Record<string, { readonly state: State; readonly fields?: Fields }>>;
export type ImageName = keyof typeof KINDS;

/** What the server `lists` has, and nothing else. */
export const LISTED: readonly ImageRecord[] = [
  ['new', imageRecord('unactivated', { uuid: '00000000-0000-4000-8000-000000000001' })],
  ['ready', imageRecord('unactivated', { uuid: '00000000-0000-4000-8000-000000000002' })],
  [
    'pub',
    imageRecord('active', {
      ...{ public: true, owner: ADMIN, published_at: '2026-01-01T00:00:00.000Z', billing_tags: ['xl'] },
      ...{ tags: ['long='], tagsObj: { long: LONG } },
    }),
  ],
  ['shared', imageRecord('active', { acl: [BOB], published_at: '2026-01-02T00:00:00.000Z' })],
  ['priv', imageRecord('active', { published_at: '2026-01-03T00:00:00.000Z' })],
].map(([name, record]) => ({ ...(record as ImageRecord), name: name as string }));

export const LONG_TAG = LONG;

/** UUIDs by name. */
export type Names = ReadonlyMap<string, string>;

/** Makes what a row speaks of; `$free` is the UUID of no image. */
export async function makeImages(service: Service, names: readonly ImageName[]): Promise<Names> {
  const { mode, channels } = service.config;
  const uuids = new Map<string, string>([...Object.keys(KINDS), 'free'].map((name) => [name, randomUUID()]));
  for (const name of names) {
    const { state, fields = {} }: { readonly state: State; readonly fields?: Fields } = KINDS[name];
    const record = imageRecord(state, {
      ...(mode === 'dc' ? { owner: ALICE } : { owner: NIL_UUID, public: mode === 'public' }),
      ...(channels && { channels: ['dev'] }),
      ...(JSON.parse(named(JSON.stringify(fields), uuids)) as Fields),
      ...{ uuid: uuids.get(name)!, name },
    });
    await putRecords(service, [record]);
    if (record.files?.[0] === undefined || record.files[0].sha1 !== FILE.sha1) continue;
    await putObject(service, record.uuid, 'file0', BYTES);
    if (record.icon) await putObject(service, record.uuid, 'icon', ICON);
  }
  return uuids;
}

export function isImageName(name: string): name is ImageName {
  return Object.hasOwn(KINDS, name);
}

/** The text with UUIDs in place of `$name`. */
export function named(text: string, uuids: Names): string {
  return text.replaceAll(/\$(\w+)/g, (all, name: string) => uuids.get(name) ?? all);
}
