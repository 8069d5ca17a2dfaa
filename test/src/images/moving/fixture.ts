/** Servers with two stores, between which images are moved. */
import type { Test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { FORMER_OBJECTS, removeFormerObjects } from '#src/images/files/former-objects.ts';
import { MOVES } from '#src/images/moving/move-note.ts';
import { isReadDirectly } from '#src/pulls/pull-link.ts';
import { storesIn } from '../../../doubles/stores.ts';
import { bytesOf } from '../../../helpers/datacenter.ts';
import { type InProcess, startInProcess, temporaryFolder } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';

export const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** Holds the reads of a store until it is opened. */
export interface Gate {
  /** Resolves once somebody waits. */
  reached(): Promise<void>;
  open(): void;
  /** How many reads there were. */
  readonly reads: number;
}

/** A server with local files and folders in place of other stores. Reads of files from `held` wait at the gate. */
export async function startHeld(t: Test, held: string): Promise<{ server: InProcess; gate: Gate }> {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let reads = 0;
  const change = (store: ObjectStore): ObjectStore =>
    store.name !== held
      ? store
      : new Proxy(store, {
          get(target, key) {
            const value: unknown = Reflect.get(target, key);
            if (typeof value !== 'function') return value;
            if (key !== 'read') return value.bind(target);
            return async (...args: unknown[]) => {
              if (!String(args[0]).startsWith('images/')) return value.apply(target, args);
              reads++;
              await opened;
              return value.apply(target, args);
            };
          },
        });
  const stores = storesIn(await temporaryFolder(t), ['local', 'manta', 's3'], change);
  const server = await startInProcess(t, {}, { stores });
  // Otherwise a failing test would wait for ever.
  t.teardown(() => open());
  const gate: Gate = {
    reached: () => waitFor('a read', () => reads > 0).then(() => undefined),
    open,
    get reads() {
      return reads;
    },
  };
  return { server, gate };
}

/** Where the file of an image lies, by its record. */
export async function storOf({ client }: Pick<InProcess, 'client'>, uuid: string): Promise<string | undefined> {
  const { files } = await client().getImage(uuid, { inclAdminFields: true });
  return files?.[0]?.stor;
}

export async function fileOf({ client }: Pick<InProcess, 'client'>, uuid: string): Promise<Buffer> {
  return bytesOf((await client().getImageFile(uuid)).stream);
}

/** Which stores hold an object, whatever the record says. */
export async function holders(
  { imgapi }: InProcess,
  uuid: string,
  name: 'file0' | 'file1' | 'icon' = 'file0',
): Promise<string[]> {
  const found: string[] = [];
  for (const storage of imgapi.service.storages) {
    if (await storage.info(imageObjectPath(uuid, name))) found.push(storage.name);
  }
  return found;
}

/** Removes what moves left, as the task does, however often it has run already. */
export async function removeFormer({ imgapi: { service } }: InProcess): Promise<void> {
  await waitFor('former objects to be removed', async () => {
    await removeFormerObjects(service, (image, object) => isReadDirectly(service, image, object));
    return (await service.store.count(FORMER_OBJECTS)) === 0;
  });
}

/** Asserts that no move, placement or staged byte is left. */
export async function assertNothingLeft(t: Test, { imgapi: { service } }: InProcess): Promise<void> {
  t.equal(await service.store.count(MOVES), 0, 'no move is noted');
  for (const storage of service.storages) t.strictSame(await storage.sessions(), [], `${storage.name}: nothing staged`);
}
