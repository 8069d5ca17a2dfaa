/** Object stores that a service has beside, or in place of, its local files. */
import type { Test } from 'tap';
import { type Stores, storesIn } from '../doubles/stores.ts';
import { type ConfigKeys, temporaryFolder } from '../helpers/imgapi.ts';
import { type Engine, engines } from './engines.ts';
import { MANTA_MODES, mantaFor } from './manta.ts';
import { s3For } from './s3.ts';

export interface SharedStore extends Engine {
  /** As in `files[].stor`. */
  readonly stor: string;
  /** What a server needs to have local files and this store. */
  readonly make: (t: Test) => Promise<{ readonly keys: ConfigKeys; readonly stores?: Stores }>;
}

const FOLDER: SharedStore = {
  name: 'a folder',
  stor: 'manta',
  make: async (t) => ({ keys: {}, stores: storesIn(await temporaryFolder(t), ['local', 'manta']) }),
};

const MANTA_1: SharedStore = {
  name: 'Manta v1',
  stor: 'manta',
  make: async (t) => ({ keys: (await mantaFor(t, MANTA_MODES['Manta v1'])).keys }),
};

const MANTA_2: SharedStore = {
  name: 'Manta v2 with uploads',
  stor: 'manta',
  make: async (t) => ({ keys: (await mantaFor(t, MANTA_MODES['Manta v2 with uploads'])).keys }),
};

const S3: SharedStore = {
  name: 'S3',
  stor: 's3',
  make: async (t) => ({ keys: (await s3For(t)).keys }),
};

export const sharedStores = engines<SharedStore>([FOLDER, MANTA_1, MANTA_2, S3], []);
