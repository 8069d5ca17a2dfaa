/** A hashing thread: serves any number of streams, in the order in which their requests come. */
import { flushCompileCache } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { HashSet } from './algorithms.ts';
import type { HashReply, HashRequest } from './protocol.ts';

interface Stream {
  readonly buffer: SharedArrayBuffer;
  readonly blockSize: number;
  readonly hashes: HashSet;
}

const streams = new Map<number, Stream>();

function streamOf(id: number): Stream {
  const stream = streams.get(id);
  if (stream === undefined) {
    throw new Error(`hash stream ${id} was not started`);
  }
  return stream;
}

function answer(request: HashRequest): HashReply | undefined {
  switch (request.type) {
    case 'start': {
      const { buffer, blockSize, algorithms } = request;
      streams.set(request.stream, { buffer, blockSize, hashes: new HashSet(algorithms) });
      return undefined;
    }
    case 'update': {
      const { buffer, blockSize, hashes } = streamOf(request.stream);
      hashes.update(new Uint8Array(buffer, request.block * blockSize, request.length));
      return { type: 'hashed', stream: request.stream, block: request.block };
    }
    case 'add':
      streamOf(request.stream).hashes.update(request.bytes);
      return undefined;
    case 'digest':
      return { type: 'digest', stream: request.stream, hashes: streamOf(request.stream).hashes.digest() };
    case 'end':
      streams.delete(request.stream);
      return undefined;
  }
}

parentPort?.on('message', (request: HashRequest) => {
  const reply = answer(request);
  if (reply !== undefined) {
    parentPort?.postMessage(reply);
  }
});
// A thread is ended, it never ends by itself: what it compiled would be lost.
flushCompileCache();
