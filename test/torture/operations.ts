/** What an account does with its images, each time with one of them. */
import { randomBytes } from 'node:crypto';
import { ALICE, BOB } from '../helpers/accounts.ts';
import { sha1Of } from '../helpers/images.ts';
import { certain, type Entry, served } from './model.ts';
import type { Notebook } from './notebook.ts';
import { giveUp } from './uploading.ts';

export type Operation = (book: Notebook, entry: Entry) => Promise<void>;

const LARGEST_ICON = 20_000;
let texts = 0;

export async function update(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  if (!known) return;
  texts += 1;
  const description = String(texts);
  await book.step('update', entry, { ...known, description }, () =>
    book.client(entry.place).updateImage(entry.uuid, { description }),
  );
}

export async function share(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  if (known?.acl === undefined) return book.settle(entry);
  const client = book.client(entry.place);
  const acl = known.acl === 0 ? 1 : 0;
  await book.step('share', entry, { ...known, acl }, () =>
    acl === 1 ? client.addImageAcl(entry.uuid, [BOB]) : client.removeImageAcl(entry.uuid, [BOB]),
  );
}

export async function able(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  if (known?.state !== 'active' && known?.state !== 'disabled') return;
  const client = book.client(entry.place);
  const state = known.state === 'active' ? 'disabled' : 'active';
  await book.step('disable or enable', entry, { ...known, state }, () =>
    state === 'active' ? client.enableImage(entry.uuid) : client.disableImage(entry.uuid),
  );
}

/** Gives it an icon, another one, or none. */
export async function draw(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  if (!known) return;
  const client = book.client(entry.place);
  if (known.icon && book.random.chance(0.3)) {
    await book.step('delete the icon', entry, { ...known, icon: '' }, () => client.deleteImageIcon(entry.uuid));
    return;
  }
  const bytes = randomBytes(100 + book.random.below(LARGEST_ICON));
  const sha1 = sha1Of(bytes);
  await book.step('icon', entry, { ...known, icon: sha1 }, () =>
    client.addImageIcon(entry.uuid, bytes, 'image/png', { sha1 }),
  );
}

export async function read(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  if (!known?.sha1) return;
  const found = await book.ask('read', () => served(book.client(entry.place), entry.uuid));
  if (!found) return;
  const { sha1, md5, announced = md5 } = found;
  if (sha1 !== known.sha1) book.wrong(`${entry.uuid} was served with sha1 ${sha1}`);
  if (announced !== md5) book.wrong(`${entry.uuid} was served with MD5 ${md5}, announced as ${announced}`);
}

/** What was certainly there before the list was asked for, and is after it, is in it. */
export async function list(book: Notebook, { place }: Entry): Promise<void> {
  const before = book.own.filter((one) => one.place === place && certain(one));
  const listed = await book.ask('list', () => book.client(place).listImages({ state: 'all', owner: ALICE }));
  if (!listed) return;
  const found = new Set(listed.map(({ uuid }) => uuid));
  for (const { uuid } of before) if (!found.has(uuid)) book.wrong(`${uuid} is not in the list of ${place}`);
}

export async function clone(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  // Those of another account are never deleted, so that large ones would fill the disk.
  if (!known?.acl || known.state !== 'active' || book.contents.isLarge(known.sha1)) return;
  const bob = book.client(entry.place, BOB);
  const made = await book.ask('clone', () => bob.cloneImage(entry.uuid));
  if (!made || known.sha1 === undefined) return;
  const { sha1, icon } = known;
  book.model.add(entry.place, BOB, made.uuid, [{ state: 'active', sha1, ...(icon !== undefined && { icon }) }]);
}

/** Protects it from deletion, or lifts that. */
export async function protect(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  if (known?.protected === undefined) return book.settle(entry);
  const client = book.client(entry.place);
  const next = { ...known, protected: !known.protected };
  await book.step('protect or not', entry, next, () =>
    next.protected ? client.protectImage(entry.uuid) : client.unprotectImage(entry.uuid),
  );
}

/** For good, or so that it can be restored. One that is protected stays, and is so no more. */
export async function remove(book: Notebook, entry: Entry): Promise<void> {
  const known = await book.certain(entry);
  const purge = book.random.chance(0.5);
  const client = book.client(entry.place);
  if (known?.protected) {
    const isGone = await book.ask('delete', async () => ({ answer: await client.deleteImage(entry.uuid, { purge }) }));
    if (isGone) book.wrong(`${entry.place} ${entry.uuid} was deleted while it was protected`);
    return protect(book, entry);
  }
  if (!known) await lift(book, entry);
  if (!(await giveUp(book, entry))) return book.settle(entry);
  const isGone = await book.step('delete', entry, undefined, () => client.deleteImage(entry.uuid, { purge }));
  if (!isGone) return book.settle(entry);
  book.own = book.own.filter((one) => one !== entry);
  if (known?.state === 'active' && !purge) book.deleted.push({ entry, known });
}

/** Of an image of which it is not known whether it is protected: else it would never go. */
async function lift(book: Notebook, entry: Entry): Promise<void> {
  const isProtected = entry.possible.filter((one) => one?.protected);
  if (isProtected.length === 0) return;
  entry.possible = [...entry.possible, ...isProtected.map((one) => one && { ...one, protected: false })];
  await book.ask('protect or not', () => book.client(entry.place).unprotectImage(entry.uuid));
}

/** Restores what was deleted, or removes it for good. */
export async function undelete(book: Notebook): Promise<void> {
  const found = book.deleted.shift();
  if (!found) return;
  const { entry, known } = found;
  const client = book.client(entry.place);
  if (book.random.chance(0.5)) {
    await book.ask('purge', async () => ({ answer: await client.purgeImage(entry.uuid) }));
    return;
  }
  book.own.push(entry);
  await book.step('undelete', entry, known, () => client.undeleteImage(entry.uuid));
}
