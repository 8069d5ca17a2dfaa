/**
 * The hashes of the pieces of files, which linked datacenters ask for to copy a file over many connections at a time: with
 * them each piece is verified by itself, wherever it arrives first. A page of them is computed when it is first asked
 * for, by reading that part of the file, and kept until the file goes.
 */
import { createHash } from 'node:crypto';
import { type LinkPieces, PIECE_BYTES, PIECES_A_PAGE } from '#lib/api/schemas/link.ts';
import type { Bucket, Stored, WithStore, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { type FileRecord, IMAGES } from '#lib/manifest/record.ts';
import type { ByteSource, ObjectStore } from '#lib/objects/object-store.ts';
import { OneByOne } from '#lib/runtime/one-by-one.ts';
import { normalized } from '../record/load.ts';

interface PieceList {
  readonly image: string;
  /** The sha1 of the whole file. */
  readonly sha1: string;
  /** Lower-case hex, one piece after the other. */
  readonly sha256: string;
}

export const PIECE_LISTS: Bucket<PieceList> = { name: 'imgapi_piece_lists', version: 1, index: {} };

const PAGE_BYTES = PIECE_BYTES * PIECES_A_PAGE;

export interface PiecesOf {
  readonly image: string;
  readonly index: number;
  readonly file: FileRecord;
  readonly storage: ObjectStore;
  readonly path: string;
  readonly page: number;
  readonly signal: AbortSignal;
}

/** @throws what the object store does, and the signal's reason */
export async function pieceHashes(service: WithStore, asked: PiecesOf): Promise<LinkPieces> {
  const { file, page } = asked;
  const sha256 = page * PAGE_BYTES < file.size ? await pageOf(service, asked) : '';
  return { sha1: file.sha1, piece_bytes: PIECE_BYTES, sha256: sha256.match(/.{64}/g) ?? [] };
}

async function pageOf(service: WithStore, asked: PiecesOf): Promise<string> {
  const key = keyOf(asked);
  const known = await kept(service, key);
  if (known !== undefined) return known;
  return computing.run(async () => {
    // Whoever had the turn before may have computed the same page.
    const computed = await kept(service, key);
    if (computed !== undefined) return computed;
    const sha256 = await compute(asked);
    const value: PieceList = { image: asked.image, sha1: asked.file.sha1, sha256 };
    await unlessChanged(service.store.batch([{ op: 'put', bucket: PIECE_LISTS, key, value, ifEtag: null }]));
    return sha256;
  }, asked.signal);
}

function keyOf({ image, index, file: { sha1 }, page }: Pick<PiecesOf, 'image' | 'index' | 'file' | 'page'>): string {
  return `${image}.${index}.${sha1}.${page}`;
}

/** Absent is no error. They are computed anew from the bytes that are there then. */
export function forgetPieceLists(image: string, index: number, file: FileRecord): Write[] {
  const pages = Array.from({ length: Math.ceil(file.size / PAGE_BYTES) }, (_, page) => page);
  return pages.map((page) => ({ op: 'del', bucket: PIECE_LISTS, key: keyOf({ image, index, file, page }) }));
}

async function kept({ store }: WithStore, key: string): Promise<string | undefined> {
  return (await store.get(PIECE_LISTS, key))?.value.sha256;
}

/** For all images and datacenters: that bounds the memory, and what copies take from the disks. */
const computing = new OneByOne();

async function compute({ file: { size }, storage, path, page, signal }: PiecesOf): Promise<string> {
  const start = page * PAGE_BYTES;
  const end = Math.min(size, start + PAGE_BYTES) - 1;
  const { stream } = await storage.read(path, { start, end, signal });
  try {
    return await hashesOf(stream);
  } finally {
    stream.destroy();
  }
}

/** Chunk by chunk: half a MiB is half a millisecond of the event loop. Beside it, whole pieces would be copied for each. */
async function hashesOf(stream: ByteSource): Promise<string> {
  let hashes = '';
  let hash = createHash('sha256');
  let left = PIECE_BYTES;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (let rest = chunk; rest.length > 0; ) {
      const part = rest.subarray(0, left);
      hash.update(part);
      left -= part.length;
      rest = rest.subarray(part.length);
      if (left > 0) continue;
      hashes += hash.digest('hex');
      hash = createHash('sha256');
      left = PIECE_BYTES;
    }
    stream.recycle?.(chunk);
  }
  return left === PIECE_BYTES ? hashes : hashes + hash.digest('hex');
}

/** Removes the lists of files that are gone; returns how many. */
export async function removePieceLists(service: WithStore): Promise<number> {
  let removed = 0;
  for await (const lists of service.store.scan(PIECE_LISTS, {})) {
    const images = await service.store.getMany(IMAGES, [...new Set(lists.map(({ value }) => value.image))]);
    const files = new Map(images.map((image) => [image.key, normalized(image).value.files ?? []]));
    const isThere = ({ value: { image, sha1 } }: Stored<PieceList>): boolean =>
      files.get(image)?.some((file) => file.sha1 === sha1) ?? false;
    for (const list of lists) {
      if (isThere(list)) continue;
      await unlessChanged(service.store.batch([{ op: 'del', bucket: PIECE_LISTS, key: list.key, ifEtag: list.etag }]));
      removed += 1;
    }
  }
  return removed;
}
