/** How images come to be: with a file of some size, and a large one goes to the other datacenter at once. */
import { ALICE } from '../helpers/accounts.ts';
import { MANIFEST } from '../helpers/images.ts';
import { type Content, streamOf } from './contents.ts';
import type { Entry, Known } from './model.ts';
import type { Notebook } from './notebook.ts';
import { copy, fanOut, importRemote } from './transfers.ts';

/** A large file is often cut off, and without tries there would be few. */
const MOST_TRIES = 5;

/** Makes an image, as its owner or as operators bring one, uploads its file, and activates it. */
export async function make(book: Notebook): Promise<void> {
  const { random } = book;
  const place = random.pick(book.places).name;
  const known: Known = { state: 'unactivated', sha1: '', description: '0', acl: 0, icon: '' };
  const entry = random.chance(0.2) ? await bring(book, place, known) : await create(book, place, known);
  if (!entry) return;
  const content = await book.contents.next(
    random,
    book.model.withFile((sha1) => book.contents.isLarge(sha1)),
  );
  const { sha1, isLarge } = content;
  const tries = isLarge ? MOST_TRIES : 1;
  if (!(await upload(book, entry, { ...known, sha1 }, { content, tries }))) return;
  const active: Known = { ...known, sha1, state: 'active' };
  const activate = () => book.step('activate', entry, active, () => book.client(place).activateImage(entry.uuid));
  const isActive = await book.insist(activate, tries);
  if (!isActive || !isLarge) return;
  const bringAcross = random.pick([copy, copy, fanOut, importRemote]);
  await bringAcross(book, entry);
}

interface Upload {
  readonly content: Content;
  readonly tries: number;
}

async function upload(book: Notebook, entry: Entry, next: Known, { content, tries }: Upload): Promise<boolean> {
  const { size, sha1, isLarge, isAgain } = content;
  const what = `upload${isLarge ? ' of a large file' : ''}${isAgain ? ' with bytes of an earlier one' : ''}`;
  const send = () =>
    book.step(what, entry, next, () =>
      book.client(entry.place).addImageFile(entry.uuid, streamOf(content), { compression: 'none', sha1, size }),
    );
  return (await book.insist(send, tries)) ?? false;
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
