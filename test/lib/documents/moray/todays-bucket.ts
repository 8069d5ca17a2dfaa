/** The bucket of images as today's IMGAPI makes and fills it: without a version, with indexes of its own. */
import { IMAGES } from '#lib/manifest/record.ts';
import type { RawClient } from '../../../doubles/moray/client.ts';

const string = { type: 'string' };
const boolean = { type: 'boolean' };
const strings = { type: '[string]' };

const TODAYS_INDEX = {
  uuid: { type: 'string', unique: true },
  name: string,
  version: string,
  owner: string,
  origin: string,
  state: string,
  urn: { type: 'string', unique: true },
  tags: strings,
  billing_tags: strings,
  acl: strings,
  activated: boolean,
  disabled: boolean,
  public: boolean,
  os: string,
  type: string,
  expires_at: string,
  published_at: string,
};

export const OWNER = '930896af-bf8c-48d4-885c-6573a94b1853';
export const FRIEND = 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef';

export const PLAIN = '11111111-1111-4111-8111-111111111111';
export const RICH = '22222222-2222-4222-8222-222222222222';

const TODAYS_RECORDS = [
  {
    v: 2,
    uuid: PLAIN,
    owner: OWNER,
    name: 'plain',
    version: '1.0.0',
    state: 'active',
    activated: true,
    disabled: false,
    public: true,
    published_at: '2015-06-01T00:00:00Z',
    type: 'zone-dataset',
    os: 'smartos',
    files: [{ sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709', size: 10, compression: 'gzip', stor: 'local' }],
    channels: ['dev'],
  },
  {
    v: 2,
    uuid: RICH,
    owner: OWNER,
    urn: 'sdc:admin:rich:1.0.0',
    name: 'rich',
    version: '1.0.0',
    state: 'active',
    // It has stored them as texts, and one tag without its list.
    activated: 'true',
    disabled: 'false',
    public: 'false',
    published_at: '2016-06-01T00:00:00.123Z',
    type: 'zvol',
    os: 'linux',
    origin: PLAIN,
    acl: [FRIEND],
    tags: ['role=db', 'cloud=true'],
    tagsObj: { role: 'db', cloud: true },
    billing_tags: 'xxl',
  },
];

/** What it does at its start, and has done since. */
export async function makeTodaysBucket(client: RawClient): Promise<void> {
  await client.call('createBucket', 'imgapi_images', { index: TODAYS_INDEX }, {});
  for (const record of TODAYS_RECORDS) await client.put('imgapi_images', record.uuid, record);
}

/** What Moray has as the bucket's version once all is there: each of ours takes two, one to drop indexes and one to add some. */
export const WITH_INDEXES = 2 * IMAGES.version + 1;
