/** Moves of a datacenter's documents or files to another engine. */
import { Type } from 'typebox';
import { bytes, date, oneOf, type ValueOf } from './build.ts';

export const MIGRATION_KINDS = ['documents', 'files'] as const;
export type MigrationKind = (typeof MIGRATION_KINDS)[number];

const count = (description: string) => Type.Integer({ minimum: 0, description });

export const Migration = Type.Object(
  {
    kind: oneOf(MIGRATION_KINDS),
    from: Type.String({ description: 'The engine, as `databaseType` or `storageTypes` has it.' }),
    to: Type.String({ description: 'The engine, as `databaseType` or `storageTypes` has it.' }),
    state: oneOf(['planned', 'running', 'succeeded', 'failed'], {
      description: '`planned`: a dry run, of which nothing is kept.',
    }),
    phase: Type.Optional(
      oneOf(['copying', 'comparing', 'switching'], {
        description:
          '`comparing`: what was copied with what is in the old store. `switching`: calls wait for a moment, while the last changes are brought along.',
      }),
    ),
    ordered_at: date(),
    ended_at: Type.Optional(date()),
    total: count('Documents, or images with a file in the old store.'),
    done: count('How many of them have been dealt with; of documents, in this phase.'),
    bytes_total: Type.Optional(bytes('Size of the files.')),
    bytes_done: Type.Optional(bytes('Of which so many are in the new store.')),
    digest: Type.Optional(Type.String({ description: 'Of all documents, the same in both stores.' })),
    failed: Type.Optional(
      Type.Array(Type.Object({ what: Type.String(), error: Type.String() }), {
        description: 'What could not be moved, at most 100; order again to try again.',
      }),
    ),
    error: Type.Optional(Type.String({ description: 'Why it failed.' })),
  },
  { description: 'A migration: what it has done so far.' },
);
export type Migration = ValueOf<typeof Migration>;
