/** How images come to be: with a file of some size, and a large one goes to the other datacenter at once. */
import { ALICE } from '../helpers/accounts.ts';
import { MANIFEST } from '../helpers/images.ts';
import type { Entry, Known } from './model.ts';
import type { Notebook } from './notebook.ts';
import { copy, fanOut, importRemote } from './transfers.ts';
import { TRIES_OF_LARGE, upload } from './uploading.ts';

/** Makes an image, as its owner or as operators bring one, uploads its file, renames some, and activates it. */
export async function make(book: Notebook): Promise<void> {
  const { random } = book;
  const place = random.pick(book.places).name;
  const known: Known = { state: 'unactivated', sha1: '', description: '0', acl: 0, icon: '', protected: false };
  const made = random.chance(0.2) ? await bring(book, place, known) : await create(book, place, known);
  if (!made) return;
  const content = await book.contents.next(
    random,
    book.model.withFile((sha1) => book.contents.isLarge(sha1)),
  );
  const { sha1, isLarge } = content;
  const whole = { ...known, sha1 };
  if (!(await upload(book, made, whole, content))) return;
  const entry = random.chance(0.15) ? await rename(book, made, whole) : made;
  if (!entry) return;
  const activate = () =>
    book.step('activate', entry, { ...whole, state: 'active' }, () => book.client(place).activateImage(entry.uuid));
  const isActive = await book.insist(activate, isLarge ? TRIES_OF_LARGE : 1);
  if (!isActive || !isLarge) return;
  const bringAcross = random.pick([copy, copy, fanOut, importRemote]);
  await bringAcross(book, entry);
}

/** Operators give it another UUID, as builds of layers do. @param known what it is */
async function rename(book: Notebook, entry: Entry, known: Known): Promise<Entry | undefined> {
  const { place, uuid } = entry;
  const renamed = add(book, place, crypto.randomUUID(), [undefined, known]);
  entry.possible = [known, undefined];
  const request = () => book.operator(place).updateImage(uuid, { uuid: renamed.uuid });
  if (!(await book.ask('rename', request))) return undefined;
  entry.possible = [undefined];
  renamed.possible = [known];
  book.own = book.own.filter((one) => one !== entry);
  return renamed;
}

async function create(book: Notebook, place: string, known: Known): Promise<Entry | undefined> {
  const made = await book.ask('create', () => book.client(place).createImage({ ...MANIFEST, description: '0' }));
  return made && add(book, place, made.uuid, [known]);
}

/** Under a UUID of the operators' choice. */
async function bring(book: Notebook, place: string, known: Known): Promise<Entry | undefined> {
  const uuid = crypto.randomUUID();
  const entry = add(book, place, uuid, [undefined]);
  const manifest = { ...MANIFEST, v: 2, uuid, owner: ALICE, description: '0' } as const;
  const isThere = await book.step('import', entry, known, () => book.operator(place).adminImportImage(manifest));
  return isThere ? entry : undefined;
}

function add(book: Notebook, place: string, uuid: string, possible: Entry['possible']): Entry {
  const entry = book.model.add(place, ALICE, uuid, possible);
  book.own.push(entry);
  return entry;
}
