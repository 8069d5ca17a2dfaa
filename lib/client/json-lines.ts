/** Reads `application/x-json-stream`, one JSON value per line, while it arrives. */

import { JsonError, parseJson } from '../text/json.ts';
import { invalidAnswer } from './answer.ts';
import type { HttpAnswer } from './transport.ts';

/** Bytes of one line. */
const LINE_LIMIT = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Empty lines, which keep a quiet connection alive, are skipped. */
export async function* readJsonLines<T>(answer: HttpAnswer): AsyncGenerator<T, void> {
  let pending: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        pending.push(chunk.subarray(start, end));
        const line = Buffer.concat(pending);
        pending = [];
        length = 0;
        start = end + 1;
        if (!isEmpty(line)) yield parseLine<T>(answer, line);
      }
      pending.push(chunk.subarray(start));
      length += chunk.byteLength - start;
      if (length > LINE_LIMIT) throw invalidAnswer(answer, `a line is longer than ${LINE_LIMIT} bytes`);
    }
    const rest = Buffer.concat(pending);
    if (!isEmpty(rest)) yield parseLine<T>(answer, rest);
  } finally {
    answer.body.destroy();
  }
}

function isEmpty(line: Buffer): boolean {
  return line.toString('latin1').trim() === '';
}

function parseLine<T>(answer: HttpAnswer, line: Buffer): T {
  try {
    return parseJson(line) as T;
  } catch (cause) {
    const why = cause instanceof JsonError && !(cause.cause instanceof SyntaxError) ? cause.message : 'not JSON';
    throw invalidAnswer(answer, `a line is ${why}: ${line.toString('utf8').trim().slice(0, 200)}`, cause);
  }
}
