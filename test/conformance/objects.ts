/**
 * What every backend of the object store must do: each sentence of the docstrings in `lib/objects/object-store.ts`.
 *
 * `make` opens an empty store, and `reopen` another on the same objects, as another process would. When the test ends,
 * `make` closes both and removes the objects. `residue` names everything left over that is neither an object nor
 * needed: staged bytes, temporary names, empty directories. Every test must end without any.
 */
import type { Test } from 'tap';
import { test } from 'tap';
import type { Capabilities } from '#lib/objects/capabilities.ts';
import { capabilityTests } from './objects/capabilities.ts';
import { directoryTests } from './objects/directories.ts';
import type { Define, MakeObjectStore } from './objects/harness.ts';
import { onceTests } from './objects/once.ts';
import { pieceTests } from './objects/pieces.ts';
import { readTests } from './objects/reading.ts';
import { sessionTests } from './objects/sessions.ts';
import { takeOverTests } from './objects/take-over.ts';
import { writeTests } from './objects/writing.ts';

export function objectStoreConformance(name: string, make: MakeObjectStore): void {
  const parts = {
    writing: writeTests,
    sessions: sessionTests,
    'bytes that are sent once': onceTests,
    'take-over': takeOverTests,
    pieces: pieceTests,
    reading: readTests,
    directories: directoryTests,
    capabilities: capabilityTests,
  };
  for (const [part, tests] of Object.entries(parts)) {
    test(`${name}: ${part}`, async (t) => {
      const { store } = await make(t);
      tests(definer(t, make, store.capabilities));
    });
  }
}

function definer(part: Test, make: MakeObjectStore, { reasons }: Capabilities): Define {
  const define = (...[sentence, body]: Parameters<Define>): void => {
    part.test(sentence, async (t) => {
      const made = await make(t);
      await body(t, made);
      t.strictSame(await made.residue(), [], 'nothing is left about');
    });
  };
  // A missing capability is not a failure; another test checks that its calls are refused.
  const where: Define['where'] = (capability, sentence, body) => {
    const reason = reasons[capability];
    if (reason === undefined) define(sentence, body);
    else part.test(`${sentence} (not claimed: ${reason})`, async (t) => t.pass());
  };
  return Object.assign(define, { where });
}
