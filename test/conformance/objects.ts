/**
 * What every backend of the object store has to do: each sentence of the docstrings in `lib/objects/object-store.ts`.
 *
 * `make` opens an empty store. `reopen` opens another on the same objects, as another process would; both are closed,
 * and the objects removed, by `make` when the test ends. `residue` names what lies about that is neither an object nor
 * needed: staged bytes, temporary names, empty directories. Every test ends without any.
 */
import type { Test } from 'tap';
import { test } from 'tap';
import { directoryTests } from './objects/directories.ts';
import type { Define, MakeObjectStore } from './objects/harness.ts';
import { readTests } from './objects/reading.ts';
import { sessionTests } from './objects/sessions.ts';
import { takeOverTests } from './objects/take-over.ts';
import { writeTests } from './objects/writing.ts';

export type { MadeObjectStore, MakeObjectStore } from './objects/harness.ts';

export function objectStoreConformance(name: string, make: MakeObjectStore): void {
  const parts = {
    writing: writeTests,
    sessions: sessionTests,
    'take-over': takeOverTests,
    reading: readTests,
    directories: directoryTests,
  };
  for (const [part, tests] of Object.entries(parts)) {
    test(`${name}: ${part}`, async (t) => tests(definer(t, make)));
  }
}

function definer(part: Test, make: MakeObjectStore): Define {
  return (sentence, body) => {
    part.test(sentence, async (t) => {
      const made = await make(t);
      await body(t, made);
      t.strictSame(await made.residue(), [], 'nothing is left about');
    });
  };
}
