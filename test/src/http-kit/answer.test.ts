/** What of the answers with a 5xx is a fault of ours, and fills the log with its cause. */
import bunyan from 'bunyan';
import { test } from 'tap';
import { HttpError } from '#lib/api/errors/http-error.ts';
import { answerFor, plainErrors } from '#src/http-kit/answer.ts';
import { tellsOfOutage } from '#src/http-kit/outages.ts';

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

test('an outage is in the log once, and not for each request that meets it; another cause is a line of its own', async (t) => {
  const { log, lines } = watched();
  const meet = (why: string, status: number): number | undefined => {
    const thrown = new HttpError(status, 'ServiceUnavailable', why);
    return answerFor(thrown, plainErrors, log, 'id').status;
  };
  for (let i = 0; i < 500; i += 1) t.equal(meet('the database is away', 503), 503);
  t.equal(lines.length, 1);
  meet('the bucket is away', 503);
  t.equal(lines.length, 2);
  for (let i = 0; i < 3; i += 1) meet('a mistake of ours', 500);
  t.equal(lines.length, 5, 'each mistake of ours is told: its answer sends to the log');
});

test('an outage that goes on is told again, with the number of requests since', async (t) => {
  const { log } = watched();
  const cause = new Error('away');
  t.equal(tellsOfOutage(log, cause, 0), 0);
  for (let i = 1; i <= 42; i += 1) t.equal(tellsOfOutage(log, cause, i), undefined);
  t.equal(tellsOfOutage(log, cause, 10_000), 42);
  t.equal(tellsOfOutage(log, cause, 10_001), undefined);
  t.equal(tellsOfOutage(watched().log, cause, 10_001), 0, 'each log is told');
});
