import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import { Passes } from '#lib/runtime/passes.ts';
import { waitFor } from '../../helpers/wait.ts';

const NEVER_MS = 3_600_000;

interface Opened {
  readonly passes: Passes;
  /** Ends the pass under way. */
  end(failure?: Error): Promise<void>;
  readonly count: () => number;
  readonly failures: unknown[];
}

/** Passes that last until they are told to end. */
function open(everyMs = NEVER_MS): Opened {
  let count = 0;
  let pass = Promise.withResolvers<void>();
  const failures: unknown[] = [];
  const run = () => {
    count += 1;
    pass = Promise.withResolvers<void>();
    return pass.promise;
  };
  const passes = new Passes({ run, everyMs, onFailed: (error) => failures.push(error) });
  return {
    ...{ passes, failures, count: () => count },
    async end(failure) {
      if (failure) pass.reject(failure);
      else pass.resolve();
      await turn();
    },
  };
}

test('the first pass begins at once, and what comes during it has one other follow it', async (t) => {
  const { passes, end, count } = open();
  t.equal(count(), 1);
  for (let n = 0; n < 3; n++) passes.nudge();
  t.equal(count(), 1, 'never two at once');
  await end();
  t.equal(count(), 2);
  await end();
  t.equal(count(), 2, 'and no third');
  passes.nudge();
  t.equal(count(), 3);
  await end();
  await passes.stop();
});

test('a pass begins by the timer as well', async () => {
  const { passes, end, count } = open(5);
  await end();
  // Fails if it never comes.
  await waitFor('the second pass', async () => count() >= 2);
  await end();
  const stopped = passes.stop();
  await end();
  await stopped;
});

test('of failures in a row the first is told', async (t) => {
  const { passes, end, failures } = open();
  await end(new Error('one'));
  passes.nudge();
  await end(new Error('two'));
  t.match(failures, [{ message: 'one' }]);
  passes.nudge();
  await end();
  passes.nudge();
  await end(new Error('three'));
  t.match(failures, [{ message: 'one' }, { message: 'three' }]);
  await passes.stop();
});

test('after a stop nothing begins, and the pass under way is waited for', async (t) => {
  const { passes, end, count } = open();
  passes.nudge();
  let isOver = false;
  const stopped = passes.stop().then(() => {
    isOver = true;
  });
  await turn();
  t.notOk(isOver);
  await end();
  await stopped;
  passes.nudge();
  t.equal(count(), 1);
});
