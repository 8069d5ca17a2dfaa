/** A destination and a source that may lie, and what a copy of a large file from there comes to. */
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { BUCKETS } from '#src/buckets.ts';
import type { CopyOrder } from '#src/copies/documents/model.ts';
import { copyFromDatacenter } from '#src/copies/orders/place-order.ts';
import { startCopyWorker } from '#src/copies/transfer/worker.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type Datacenter, putImage, startDatacenter } from '../../helpers/datacenter.ts';
import { type Lie, type LyingDatacenter, startLyingDatacenter } from '../../helpers/lying-datacenter.ts';
import { ended } from './fixture.ts';

export const MIB = 1024 * 1024;
export const PIECE = 8 * MIB;

/** The fixture's times are for small files. */
export const PATIENT = { stallSeconds: 60, leaseSeconds: 60 };

/** The paths of the requests for lists of pieces, and for bytes. */
export const PIECES = /\/file\/pieces/;
export const FILE = /\/file\?/;

export interface LyingPair {
  readonly source: LyingDatacenter;
  readonly dest: Datacenter;
  readonly uuid: string;
  readonly sha1: string;
  copied(): Promise<CopyOrder>;
}

export async function lyingPair(t: Test, keys: object = PATIENT, size = 5 * PIECE): Promise<LyingPair> {
  const copies = { leaseSeconds: 60, heartbeatSeconds: 0.1, retryDelay: { min: 0.02, max: 0.2 }, ...keys };
  const source = await startLyingDatacenter(t, 'us-east-1', { keys: { pulls: { redirect: false } } });
  const dest = await startDatacenter(t, 'us-west-1', { keys: { copies } });
  await dest.service.store.open(BUCKETS);
  const { token, url } = await createLinkToken(source.service);
  await linkDatacenter(dest.service, { name: source.name, url, token });
  const { record, sha1 } = await putImage(source, ALICE, {}, randomBytes(size));
  const copied = async () => {
    const from = linkSource(dest.service, source.name);
    const order = { uuid: record.uuid, account: ALICE, source: from, dryRun: false, doNotRestart: false };
    const { uuid } = await copyFromDatacenter(dest.service, order, new AbortController().signal);
    const worker = startCopyWorker(dest.service, { pollMs: 20 });
    t.teardown(() => worker.stop());
    return ended(dest.service, uuid);
  };
  return { source, dest, uuid: record.uuid, sha1, copied };
}

interface Honesty {
  /** Answers with the whole file. */
  readonly withoutRange?: boolean;
  /** May change the bytes, and hold them. @param at of the first one in the file */
  readonly change?: (bytes: Buffer, at: number) => void | Promise<void>;
}

/** Passes requests on to the datacenter itself. */
export function honestly({ service }: Datacenter, { withoutRange = false, change }: Honesty = {}): Lie['answer'] {
  return (incoming, response) => {
    const { method, url } = incoming;
    const { range = '', ...others } = incoming.headers;
    const headers = withoutRange || range === '' ? others : { ...others, range };
    httpRequest(`http://127.0.0.1:${service.config.links.port}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      let at = withoutRange ? 0 : Number(/^bytes=(\d+)/.exec(range)?.[1] ?? 0);
      const changed = async function* (): AsyncGenerator<Buffer> {
        for await (const bytes of answer) {
          await change?.(bytes, at);
          at += bytes.length;
          yield bytes;
        }
      };
      // Whoever asked may have heard enough.
      pipeline(changed, response).catch(() => undefined);
    }).end();
  };
}

export async function assertWhole(
  t: Test,
  { service }: Pick<Datacenter, 'service'>,
  uuid: string,
  sha1: string,
): Promise<void> {
  const local = service.storages.named('local');
  t.equal((await local.hash(imageObjectPath(uuid, 'file0'))).sha1, sha1);
  t.same(await local.sessions(), [], 'no staging is left');
}
