/** A reading thread: answers one request after the other on a connection of its own. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from '../connection.ts';
import { ALL, type Failure, type ReadReply, type ReadRequest, type ThreadData } from './protocol.ts';
import { Steps } from './steps.ts';

/** Characters of SQL to prepare before the connection is made anew, which frees whatever was prepared on it. */
const CONNECTION_CHARACTERS = 1024 * 1024;
/** Kibibytes of pages; the rest is in the system's cache. */
const PAGE_CACHE = 8192;

const { path, abandoned }: ThreadData = workerData;

let current = 0;
let reader: { readonly connection: Connection; readonly steps: Steps } | undefined;

function isWanted(): boolean {
  const id = Atomics.load(abandoned, 0);
  return id !== current && id !== ALL;
}

function steps(): Steps {
  if (reader !== undefined && reader.steps.preparedCharacters > CONNECTION_CHARACTERS) {
    reader.connection.close();
    reader = undefined;
  }
  if (reader === undefined) {
    const connection = new Connection(path, { pageCache: PAGE_CACHE, isReader: true, isWanted });
    reader = { connection, steps: new Steps(connection) };
  }
  return reader.steps;
}

function answer({ id, job }: ReadRequest): ReadReply {
  current = id;
  try {
    return { id, answer: steps().run(job) };
  } catch (error) {
    return { id, failure: failureOf(error) };
  }
}

function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return { name, message, ...(code === undefined ? {} : { code }) };
}

parentPort?.on('message', (request: ReadRequest | 'close') => {
  if (request !== 'close') {
    parentPort?.postMessage(answer(request));
    return;
  }
  reader?.connection.close();
  parentPort?.close();
});
// What it compiled would be lost if it were ended from outside.
flushCompileCache();
