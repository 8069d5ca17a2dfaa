/** What the servers of these tests answer. */
import type { CopyImageStatus, CopyStatus } from '#lib/api/schemas/copy.ts';
import type { Image } from '#lib/api/schemas/image.ts';

export const UUID = '0965c1f4-6995-c095-ecb5-c1a80be2b08e';
export const BASE = '1f0e2d3c-4b5a-4687-9786-a5b4c3d2e1f0';
export const ALICE = 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef';
export const BOB = 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
export const ORDER = '77777777-0000-4000-8000-000000000001';

export function image(fields: Partial<Image> = {}): Image {
  return {
    v: 2,
    uuid: UUID,
    owner: ALICE,
    owner_login: 'alice',
    name: 'my-image',
    version: '1.0.0',
    state: 'active',
    disabled: false,
    public: false,
    published_at: '2017-10-17T21:00:00.000Z',
    type: 'zone-dataset',
    os: 'smartos',
    files: [{ sha1: '0'.repeat(40), size: 5 * 1024 * 1024, compression: 'gzip' }],
    ...fields,
  };
}

const MIB = 1024 * 1024;

export function copyImage(fields: Partial<CopyImageStatus> = {}): CopyImageStatus {
  return {
    uuid: UUID,
    name: 'my-image',
    version: '1.0.0',
    state: 'running',
    bytes_done: 25 * MIB,
    bytes_total: 100 * MIB,
    rate: 5 * MIB,
    attempt: 1,
    ...fields,
  };
}

/** Sums up its images. */
export function copyStatus(
  fields: Partial<CopyStatus> = {},
  images: readonly CopyImageStatus[] = [copyImage()],
): CopyStatus {
  const sum = (of: (one: CopyImageStatus) => number): number => images.reduce((total, one) => total + of(one), 0);
  return {
    image_uuid: UUID,
    order: ORDER,
    account: ALICE,
    datacenter: 'us-sw-1',
    state: 'running',
    kind: 'copy-from-dc',
    created_at: '2017-10-17T21:00:00.000Z',
    started_at: '2017-10-17T21:00:00.000Z',
    bytes_done: sum((one) => one.bytes_done),
    bytes_total: sum((one) => one.bytes_total),
    rate: sum((one) => one.rate),
    images,
    ...fields,
  };
}

export function doneStatus(): CopyStatus {
  return copyStatus({ state: 'succeeded', finished_at: '2017-10-17T21:01:05.000Z' }, [
    copyImage({ state: 'succeeded', bytes_done: 100 * MIB, rate: 0 }),
  ]);
}

/** What a copy of an image would bring whose base is here already. */
export const PLAN = {
  image_uuid: UUID,
  datacenter: 'us-sw-1',
  images: [
    { uuid: BASE, name: 'base', version: '18.4.0', size: 1024 * 1024, here: true, action: 'here' },
    { uuid: UUID, name: 'my-image', version: '1.0.0', size: 5 * 1024 * 1024, here: false, action: 'copy' },
  ],
  bytes_total: 6 * 1024 * 1024,
  bytes_to_copy: 5 * 1024 * 1024,
};
