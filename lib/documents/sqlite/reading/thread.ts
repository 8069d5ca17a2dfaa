/** A reading thread: answers one request after another on a connection of its own. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { ALL, type Failure, type ReadReply, type ReadRequest, type ThreadData } from './protocol.ts';
import { StepConnection } from './step-connection.ts';

const { path, abandoned }: ThreadData = workerData;

let current = 0;
const connection = new StepConnection(path, () => {
  const id = Atomics.load(abandoned, 0);
  return id !== current && id !== ALL;
});

function answer({ id, job }: ReadRequest): ReadReply {
  current = id;
  try {
    return { id, answer: connection.run(job) };
  } catch (error) {
    return { id, failure: failureOf(error) };
  }
}

function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return { name, message, ...(code !== undefined && { code }) };
}

parentPort?.on('message', (request: ReadRequest | 'close') => {
  if (request !== 'close') {
    parentPort?.postMessage(answer(request));
    return;
  }
  connection.close();
  parentPort?.close();
});
// Flushed here, because what the thread compiled would be lost if it were terminated from outside.
flushCompileCache();
