import { test } from 'tap';
import { complaints, missing } from './installed.ts';

test('the shell scripts give shellcheck nothing to say', { skip: missing('shellcheck') }, async (t) => {
  for (const script of ['.ci/run']) t.equal(complaints('shellcheck', [script]), '', script);
});
