/** Maintenance by operators: verifying stored files, cleaning up, and the background tasks. */
import { Type } from 'typebox';
import { anything, bytes, date, oneOf, strings, uuid, type ValueOf } from './build.ts';

export const FINDINGS = ['ok', 'missing', 'size', 'hash', 'repaired', 'unrepairable'] as const;
export type Finding = (typeof FINDINGS)[number];

export const VerifyLine = Type.Object({
  uuid: uuid(),
  name: Type.String(),
  file: Type.String({ description: '`file0`, `file1` and so on, or `icon`.' }),
  status: oneOf(FINDINGS),
  message: Type.Optional(Type.String({ description: 'What is wrong, in words.' })),
});
export type VerifyLine = ValueOf<typeof VerifyLine>;

export const VerifyStore = Type.Object(
  {
    store: Type.String({ description: 'Name of the object store.' }),
    message: Type.String({ description: 'What is wrong, in words.' }),
  },
  { description: 'An object store that does not answer; the files in it are passed over. At most one line for each.' },
);
export type VerifyStore = ValueOf<typeof VerifyStore>;

const count = () => Type.Integer({ minimum: 0 });

export const VerifySummary = Type.Object(
  {
    summary: Type.Object({
      ok: count(),
      missing: count(),
      size: count(),
      hash: count(),
      repaired: count(),
      unrepairable: count(),
      skipped: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Files that were not read, because their store does not answer.' }),
      ),
      files: count(),
      bytes: bytes(),
    }),
  },
  { description: 'The last line: how many files had each status.' },
);
export type VerifySummary = ValueOf<typeof VerifySummary>;

export const FOUND = ['missing', 'size', 'hash'] as const;
export type Found = (typeof FOUND)[number];

export const FileFinding = Type.Object(
  {
    uuid: uuid('The image.'),
    name: Type.String(),
    file: Type.String({ description: '`file0`, `file1` and so on, or `icon`.' }),
    stor: Type.String({ description: 'Name of the object store.' }),
    size: bytes('The size that the file should have.'),
    status: oneOf(FOUND),
    message: Type.String({ description: 'What is wrong, in words.' }),
    quarantined: Type.Boolean({ description: 'Whether requests for it are refused.' }),
    found_at: date(),
    checked_at: date('When it was last seen to be so.'),
    kept: Type.Optional(Type.String({ description: 'Where in the store the damaged bytes are kept.' })),
    repair: Type.Optional(
      Type.Object(
        { tried_at: date(), problem: Type.String() },
        { description: 'The last attempt to fetch the right bytes from elsewhere.' },
      ),
    ),
  },
  { description: 'A stored file, or an icon, that is not what its record says.' },
);
export type FileFinding = ValueOf<typeof FileFinding>;

const ScrubCounts = {
  began_at: date(),
  files: count(),
  bytes: bytes('Bytes that were read.'),
  bad: Type.Integer({ minimum: 0, description: 'Files that are not what their records say.' }),
  skipped: Type.Integer({ minimum: 0, description: 'Files that could not be checked, as when their store was down.' }),
};

export const ScrubStatus = Type.Object(
  {
    findings: Type.Integer({ minimum: 0, description: 'Files that are known to be damaged.' }),
    next_at: Type.Optional(date('When the next pass is due; absent if none is.')),
    pass: Type.Optional(Type.Object(ScrubCounts, { description: 'The pass under way.' })),
    last: Type.Optional(Type.Object({ ...ScrubCounts, ended_at: date() }, { description: 'The last whole pass.' })),
  },
  { description: 'The passes in which all stored files are read again.' },
);
export type ScrubStatus = ValueOf<typeof ScrubStatus>;

export const DoomedObject = Type.Object(
  {
    storage: Type.String({ description: 'Name of the object store.' }),
    path: Type.String({ description: 'Always `pulls/YYYYMMDD/UUID.fileN.REQID`.' }),
    size: bytes(),
  },
  { description: 'An object below `pulls/` that is removed.' },
);
export type DoomedObject = ValueOf<typeof DoomedObject>;

export const ReapFailure = Type.Object({ path: Type.String(), error: Type.String() });
export type ReapFailure = ValueOf<typeof ReapFailure>;

export const ReapReport = Type.Object({
  until: Type.String({ description: 'The last day, `YYYYMMDD`, whose links are removed.' }),
  objects: Type.Array(DoomedObject),
  directories: Type.Array(Type.Object({ storage: Type.String(), path: Type.String() }), {
    description: 'Directories of days that become empty.',
  }),
  links: Type.Array(Type.Object({ reqid: Type.String(), etag: Type.String() }), {
    description: 'Links that are removed.',
  }),
  ignored: strings('Names below `pulls/` that this service did not create: `STORAGE:PATH`.'),
  failed: Type.Array(ReapFailure, { description: 'What could not be removed; the next run tries again.' }),
  bytes: bytes('Total size of the objects that were removed, or would be.'),
  dryRun: Type.Boolean(),
});
export type ReapReport = ValueOf<typeof ReapReport>;

export const StagedBytes = Type.Object({
  session: Type.String({ description: 'Name of the write session.' }),
  size: bytes(),
  mtime: date(),
  stor: Type.String({ description: 'Name of the object store.' }),
});
export type StagedBytes = ValueOf<typeof StagedBytes>;

export const CleanUpReport = Type.Object(
  {
    dry_run: Type.Boolean({ description: 'True if nothing was removed, and this is what would be.' }),
    pulls: ReapReport,
    staging: Type.Object({
      sessions: Type.Array(StagedBytes),
      leftovers: Type.Array(StagedBytes, {
        description: "Bytes under the store's own names, which nothing can refer to.",
      }),
      bytes: bytes(),
    }),
    copies: Type.Object({
      placeholders: Type.Array(Type.Object({ uuid: uuid(), bytes: bytes() }), {
        description: 'Images whose failed copy is given up, with the bytes that are freed.',
      }),
      orders: Type.Array(uuid(), { description: 'Records of orders that have ended.' }),
      links: strings('Paths of linked bytes that no attempt uses any more.'),
    }),
  },
  { description: 'What was removed, or would be.' },
);
export type CleanUpReport = ValueOf<typeof CleanUpReport>;

export const TASK_STATES = ['waiting', 'running', 'failing'] as const;

export const TaskRun = Type.Object({
  result: oneOf(['ok', 'failed']),
  began_at: date(),
  ended_at: date(),
  seconds: Type.Number({ minimum: 0 }),
  worker: Type.String({ description: 'The process that ran it.' }),
  did: Type.Optional(anything('What it did, with the lengths of lists; absent if there was nothing to do.')),
  error: Type.Optional(Type.String({ description: 'Why it failed.' })),
});
export type TaskRun = ValueOf<typeof TaskRun>;

export const TaskStatus = Type.Object({
  name: Type.String(),
  what: Type.String({ description: 'What it does.' }),
  period_seconds: Type.Number({ description: 'From the end of one run to the next.' }),
  state: oneOf(TASK_STATES, { description: '`failing`: the last run failed, and the next has not begun.' }),
  failures: Type.Integer({ minimum: 0, description: 'Consecutive runs that failed.' }),
  next_run: Type.Optional(date('Absent while it runs.')),
  holder: Type.Optional(
    Type.Object(
      { worker: Type.String(), since: date(), until: date('End of the lease, which is renewed while it runs.') },
      { description: 'The process that is running it.' },
    ),
  ),
  last_run: Type.Optional(TaskRun),
});
export type TaskStatus = ValueOf<typeof TaskStatus>;
