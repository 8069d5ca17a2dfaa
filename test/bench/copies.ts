/**
 * Copies over a long line, on which a connection brings 4 MiB/s and an answer takes 80 ms, beside one stream over the same
 * line, with the files on disk and in S3; and without it, beside a destination that fetches one stream.
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../helpers/free-port.ts';
import { forgetPeak, residentBytes } from '../helpers/resident.ts';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { QUICK } from './extent.ts';
import { compare, type Figure, type Plan, type Results, type Sample } from './measure.ts';
import { keysFor, startDoubleApart } from './postgres-s3/engines.ts';
import { startServer } from './server.ts';
import { copyAcross, link, MIB, makeInput, rateOf, SIZE_NAME, touchMemory, upload } from './transfers.ts';

const LINE = { kind: 'line', rtt: 80, bytesPerSecond: 4 * MIB } as const;
/** Bytes after which the rate of one stream is known. */
const ENOUGH = (QUICK ? 8 : 24) * MIB;

export async function* benchCopies({ directory, profile, runs }: Plan): Results {
  const input = await makeInput(directory);
  const port = await freePort();
  const line = await startTcpProxy(port);
  const profiling = profile ? { profile } : {};
  const start = async (name: string, keys: object) => {
    const dataDir = join(directory, `copies-${name}`);
    await rm(dataDir, { recursive: true, force: true });
    return startServer({ name, dataDir, keys, ...profiling });
  };
  const s3 = await startDoubleApart();
  const [source, many, one, ordered] = await Promise.all([
    start('bench-1', { links: { address: '127.0.0.1', port, publicUrl: line.url } }),
    start('bench-2', {}),
    start('bench-3', { copies: { connections: 1 } }),
    start('bench-4', keysFor(s3)),
  ]);
  const front = await startTcpProxy(Number(new URL(source.url).port));
  try {
    for (const destination of [many, one, ordered]) await link({ ...source, linksUrl: line.url }, destination);
    const { client, uuid } = await upload(source, input);
    await client.activateImage(uuid);
    const over = async (destination: typeof many, trouble: TcpProxy['trouble']): Promise<Sample> => {
      line.trouble = trouble;
      await touchMemory(input);
      return { value: rateOf(await copyAcross(destination, uuid)) };
    };
    const stream = async (): Promise<Sample> => {
      front.trouble = LINE;
      return { value: await streamRate(`${front.url}/images/${uuid}/file`) };
    };
    const unit = 'MiB/s';
    const long = { against: 'one stream', unit, target: 12, runs: 1, warmups: 0, isAtOnce: QUICK };
    for (const [destination, where] of [
      [many, ''],
      [ordered, ' into S3'],
    ] as const) {
      const name = `copy of ${SIZE_NAME}${where}, 80 ms, 4 MiB/s each`;
      const idle = (await residentBytes(destination.pid)).now;
      await forgetPeak(destination.pid);
      yield await compare({ ...long, name }, () => over(destination, LINE), stream);
      yield memoryOf(`that copy${where}`, (await residentBytes(destination.pid)).peak - idle);
    }
    const near = { name: `copy of ${SIZE_NAME}, same machine`, against: 'the same over one connection', unit, runs };
    const none = { kind: 'none' } as const;
    yield await compare(
      { ...near, target: 0.95, warmups: 1 },
      () => over(many, none),
      () => over(one, none),
    );
    await client.destroy();
  } finally {
    await Promise.all([many, one, ordered, source].map((server) => server.stop()));
    await s3.close();
    for (const proxy of [line, front]) await proxy.close();
  }
}

function memoryOf(what: string, above: number): Figure {
  return {
    ...{ name: `peak memory of ${what}`, against: 'idle', unit: 'MiB above idle', target: 64, runs: 1 },
    ...{ ours: Math.max(0, above) / MIB, theirs: 0, ratio: Number.NaN, kind: 'limit' },
  };
}

/** MiB per second of one GET, after so many bytes as are enough to know. */
async function streamRate(url: string): Promise<number> {
  const { hostname, port, pathname } = new URL(url);
  const begin = performance.now();
  let received = 0;
  const socket = connect({
    port: Number(port),
    host: hostname,
    onread: {
      buffer: Buffer.alloc(MIB),
      callback(bytes) {
        received += bytes;
        if (received >= ENOUGH) socket.destroy();
        return true;
      },
    },
  });
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close');
  return received / MIB / ((performance.now() - begin) / 1000);
}
