/** What of the answers with a 5xx is a fault of ours, and fills the log with its cause. */
import bunyan from 'bunyan';
import { test } from 'tap';
import { HttpError } from '#lib/api/errors/http-error.ts';
import { answerFor, plainErrors } from '#src/http-kit/answer.ts';

function watched() {
  const lines: unknown[] = [];
  const stream = { write: (line: unknown) => lines.push(line) };
  const log = bunyan.createLogger({
    name: 'test',
    streams: [{ type: 'raw', level: 'error', stream: stream as never }],
  });
  return { log, lines };
}

test('what is not available here is told, and is no error in the log', async (t) => {
  const { log, lines } = watched();
  t.equal(answerFor(new HttpError(501, 'NotAvailable', 'no such thing here'), plainErrors, log, 'id').status, 501);
  t.strictSame(lines, []);
});

test('faults are told without their cause, which is in the log', async (t) => {
  const { log, lines } = watched();
  const reply = answerFor(new Error('the cause'), plainErrors, log, 'id');
  t.equal(reply.status, 500);
  t.notMatch(JSON.stringify(reply), /the cause/);
  t.match(lines, [{ err: { message: 'the cause' }, req_id: 'id' }]);
});
