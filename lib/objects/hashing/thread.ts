/** A hashing thread: serves any number of streams, in the order in which their requests arrive. */
import { flushCompileCache } from 'node:module';
import { platform, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { letGo } from '../let-go.ts';
import { HashSet } from './algorithms.ts';
import { offsetOf } from './blocks.ts';
import { type HashReply, type HashRequest, type HashThreadData, OWN_BLOCK } from './protocol.ts';

/** Requests, and bytes on their way, go before hashes: on Linux each thread has a priority of its own. */
const NICE = 5;
if (platform() === 'linux') setPriority(NICE);

const { buffer }: HashThreadData = workerData;
const streams = new Map<number, HashSet>();

function streamOf(id: number): HashSet {
  const stream = streams.get(id);
  if (stream === undefined) {
    throw new Error(`hash stream ${id} was not started`);
  }
  return stream;
}

function answer(request: HashRequest): HashReply | undefined {
  switch (request.type) {
    case 'start':
      streams.set(request.stream, new HashSet(request.algorithms));
      return undefined;
    case 'update': {
      const { stream, block, length } = request;
      streamOf(stream).update(new Uint8Array(buffer, offsetOf(block), length));
      return { type: 'hashed', stream, block };
    }
    case 'add': {
      const { stream, bytes } = request;
      streamOf(stream).update(bytes);
      letGo(bytes);
      return { type: 'hashed', stream, block: OWN_BLOCK };
    }
    case 'digest':
      return { type: 'digest', stream: request.stream, hashes: streamOf(request.stream).digest() };
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
// Needed here, because the thread is terminated from outside, which would lose what it compiled.
flushCompileCache();
