/**
 * Takes one image in, so that a crash at any point leaves it as an import finds it and goes on: bytes are staged and
 * checked first; then the record is made, which nobody can use yet; then the bytes get their names, each noted in the
 * record before; at last the record becomes what it is at the source.
 */
import { EtagConflictError } from '#lib/documents/errors.ts';
import type { Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { FileRecord, IconRecord, ImageRecord } from '#lib/manifest/record.ts';
import { assertNothingPlaced, placeFile } from '../../images/files/file-placement.ts';
import { changeRecord } from '../../images/record/change.ts';
import { assertNoCycle } from '../../images/record/cycles.ts';
import { loadRaw, type StoredImage } from '../../images/record/load.ts';
import { oneAtATime } from '../../images/record/one-at-a-time.ts';
import { putRecord, touchOrigin } from '../../images/record/record-write.ts';
import { currentRecord } from '../../images/record/tombstones.ts';
import type { Service } from '../../service/service.ts';
import { UnreadableError } from '../sources/data-source.ts';
import { likenessOf, withoutObjects } from './likeness.ts';
import { putNote } from './notes.ts';
import type { ImageObjects } from './objects.ts';
import type { StagedObject } from './stage-object.ts';

/** @param here what is replaced: what an earlier import began or brought */
export async function bringImage(
  service: Service,
  candidate: ImageRecord,
  { placed, staged }: { readonly placed: ImageObjects; readonly staged: readonly StagedObject[] },
  here: StoredImage | undefined,
): Promise<void> {
  await service.faults.reach('import:staged');
  const all = new Map([...placed, ...staged.map(({ name, file }) => [name, file] as const)]);
  const files = (candidate.files ?? []).map((_, i) => all.get(`file${i}`) as FileRecord);
  const icon = all.get('icon') as IconRecord | undefined;
  const final = {
    ...withoutObjects(candidate),
    ...(candidate.files !== undefined && { files }),
    ...(icon && { icon }),
  };
  const note = { likeness: likenessOf(candidate), isBegun: false, at: new Date(service.store.now()).toISOString() };
  const done = putNote(candidate.uuid, note);
  if (staged.length === 0 && !here) {
    await make(service, final, done);
    return;
  }
  const isGoingOn = here !== undefined && !isUnusable(here.value);
  const base = isGoingOn ? here.value : unusable(withoutObjects(candidate));
  if (!isGoingOn) await make(service, base, putNote(candidate.uuid, { ...note, isBegun: true }));
  await service.faults.reach('import:begun');
  for (const { name, session, file } of staged) {
    const index = name === 'icon' ? 0 : Number(name.slice('file'.length));
    await placeFile(service, {
      ...{ uuid: candidate.uuid, session, file },
      kind: name === 'icon' ? 'icon' : 'file',
      ...(index > 0 && { index }),
      guard: (record) => assertAsBegun(record, base),
    });
    await service.faults.reach('import:placed');
  }
  await changeRecord(service, candidate.uuid, (record) => {
    assertNothingPlaced(record);
    assertAsBegun(record, base);
    return { record: { ...final, ...(record.rev !== undefined && { rev: record.rev }) }, also: [done] };
  });
  await service.faults.reach('import:done');
}

/** Until its bytes are there. */
function unusable(record: ImageRecord): ImageRecord {
  const { published_at: _, ...rest } = record;
  return { ...rest, activated: false, state: 'unactivated' };
}

function isUnusable({ activated, state }: ImageRecord): boolean {
  return !activated && state === 'unactivated';
}

function assertAsBegun(record: ImageRecord, base: ImageRecord): void {
  if (likenessOf(withoutObjects(record)) === likenessOf(withoutObjects(base))) return;
  throw new UnreadableError('it was changed here while it was imported; import it again');
}

/** Writes the record, over what an earlier import began. */
async function make(service: Service, record: ImageRecord, note: Write): Promise<void> {
  const { uuid, origin } = record;
  await retryOnConflict(() =>
    oneAtATime(service, origin ?? uuid, async () => {
      const current = await currentRecord(service, uuid);
      if (current && !isUnusable(current.value)) throw new UnreadableError('it was made here meanwhile');
      const rev = current?.value.rev;
      const write = putRecord({ ...record, ...(rev !== undefined && { rev }) }, current?.etag ?? null);
      await service.store.batch([write, note, ...(await originWrites(service, record))]);
    }),
  ).catch((error: unknown) => {
    throw error instanceof EtagConflictError ? new UnreadableError('it is being changed here; import it again') : error;
  });
}

/** An origin that is not here is not there either, or is listed as not imported. */
async function originWrites(service: Service, { uuid, origin }: ImageRecord): Promise<Write[]> {
  if (origin === undefined) return [];
  await assertNoCycle(service, [uuid], origin);
  return (await loadRaw(service, origin)) ? [await touchOrigin(service, origin, { account: undefined })] : [];
}
