/** What becomes of a record: by what is here already, and what the last import noted. */
import type { ImageRecord } from '#lib/manifest/record.ts';
import { loadRaw, type StoredImage } from '../../images/record/load.ts';
import { currentRecord } from '../../images/record/tombstones.ts';
import type { Service } from '../../service/service.ts';
import { differences, haveSameFiles, likenessOf } from './likeness.ts';
import { IMPORTED } from './notes.ts';

export type Decision =
  /** `here`: what an import that was broken off began with. */
  | { readonly kind: 'new'; readonly here?: StoredImage }
  /** It was taken, and has changed there since, but not here. */
  | { readonly kind: 'update'; readonly here: StoredImage }
  /** It is here as it is there. */
  | { readonly kind: 'same' }
  /** It is not touched, because of what was done here. */
  | { readonly kind: 'left'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

export async function decide(
  service: Service,
  candidate: ImageRecord,
  { evenDeleted }: { readonly evenDeleted: boolean },
): Promise<Decision> {
  const { uuid } = candidate;
  const note = (await service.store.get(IMPORTED, uuid))?.value;
  const kept = (await loadRaw(service, uuid))?.value;
  if (kept?.kept) {
    const why = `it was deleted here, and can be restored until ${kept.expires_at}`;
    return evenDeleted ? { kind: 'refused', why: `${why}; restore or purge it first` } : { kind: 'left', why };
  }
  const here = await currentRecord(service, uuid);
  if (!here) {
    if (!note || note.isBegun || evenDeleted) return { kind: 'new' };
    return { kind: 'left', why: 'it was imported before, and deleted here since' };
  }
  if (here.value.copy) {
    return { kind: 'refused', why: 'a copy of it is under way here, or failed; cancel or delete that' };
  }
  if (note?.isBegun && !here.value.activated) return { kind: 'new', here };
  const [there, own] = [likenessOf(candidate), likenessOf(here.value)];
  if (there === own) return { kind: 'same' };
  if (note?.likeness === there) return { kind: 'left', why: `changed here since: ${differing(candidate, here.value)}` };
  if (note?.likeness !== own) {
    return { kind: 'refused', why: `it is here already, with other ${differing(candidate, here.value)}` };
  }
  if (here.value.activated && !haveSameFiles(candidate, here.value)) {
    return { kind: 'refused', why: 'it is activated here, with other bytes' };
  }
  return { kind: 'update', here };
}

function differing(a: ImageRecord, b: ImageRecord): string {
  return differences(a, b).join(', ').replace('tagsObj', 'tags');
}
