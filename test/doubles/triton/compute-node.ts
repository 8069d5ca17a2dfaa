/**
 * A compute node, as far as its `imgadm create --publish` is concerned: it takes an image of a machine, and brings it to
 * IMGAPI with Triton's own client, as the tool does.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sdcImgapi } from '../../clients/sdc-clients/client.ts';

/** What the node is told. */
export interface Order {
  /** The machine. */
  readonly uuid: string;
  readonly compression: string;
  readonly imgapi_url: string;
  readonly incremental?: boolean;
  readonly max_origin_depth?: number;
  readonly prepare_image_script?: string;
  readonly manifest: { readonly uuid: string; readonly [field: string]: unknown };
}

export type Step = 'asked' | 'taken' | 'imported' | 'added' | 'activated';

export interface ComputeNode {
  readonly orders: Order[];
  /** Awaited after each step; may throw, as the tool may fail anywhere. */
  after: (step: Step, order: Order) => Promise<void>;
  /** Of the machine, and so of its image. */
  image: { readonly type: string; readonly os: string; readonly origin?: string; readonly [field: string]: unknown };
  /** The bytes of the last image that was taken. */
  bytes: Buffer;
  createImage(order: Order): Promise<void>;
}

export function computeNode(): ComputeNode {
  const node: ComputeNode = {
    orders: [],
    after: async () => {},
    image: { type: 'zone-dataset', os: 'smartos' },
    bytes: Buffer.alloc(0),
    async createImage(order) {
      node.orders.push(order);
      await node.after('asked', order);
      const folder = await mkdtemp(join(tmpdir(), 'imgadm-'));
      const closing: (() => unknown)[] = [];
      try {
        const bytes = randomBytes(50_000);
        node.bytes = bytes;
        const file = join(folder, 'image');
        await writeFile(file, bytes);
        await node.after('taken', order);
        const call = sdcImgapi({ teardown: (close) => void closing.push(close as () => unknown) }, order.imgapi_url);
        const { uuid } = order.manifest;
        const sha1 = createHash('sha1').update(bytes).digest('hex');
        const { origin, ...image } = node.image;
        const manifest = {
          v: 2,
          ...image,
          ...order.manifest,
          published_at: new Date().toISOString(),
          ...(order.incremental === true && origin !== undefined && { origin }),
          files: [{ sha1, size: bytes.length, compression: order.compression }],
        };
        await call('adminImportImage', manifest);
        await node.after('imported', order);
        await call('addImageFile', { uuid, file, sha1, size: bytes.length, compression: order.compression });
        await node.after('added', order);
        await call('activateImage', uuid);
        await node.after('activated', order);
      } finally {
        for (const close of closing) close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
  return node;
}
