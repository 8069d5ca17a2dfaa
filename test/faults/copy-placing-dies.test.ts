/** The destination is killed between the last byte of a copy and its end. */
import { test } from 'tap';
import { startCloud } from '../helpers/cloud.ts';
import { assertSound } from '../helpers/invariants.ts';
import { copyThrough, type Death } from '../helpers/killed-copy.ts';

/** Longer than the lease of a file being placed, but less than the clock difference at which signatures are refused. */
const LATER = 120_000;

const DEATHS: readonly Death[] = [
  { when: 'when it noted that it will place the file', fault: 'upload:intent-recorded=kill', later: LATER },
  { when: 'when the file is in its place and not in the record', fault: 'upload:placed=kill', later: LATER },
  { when: 'when the file is in the record', fault: 'copy:placed=kill' },
  { when: 'right before the images become usable', fault: 'copy:before-commit=kill' },
  { when: 'right after the images became usable', fault: 'copy:committed=kill' },
];

test('A copy is finished without another byte when its destination dies with all of them', async (t) => {
  const cloud = await startCloud(t);
  for (const death of DEATHS) {
    await t.test(`killed ${death.when}`, (t) => copyThrough(t, cloud, death));
  }
  await assertSound(t, cloud.east);
});
