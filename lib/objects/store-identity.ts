import { newUuid } from '../text/uuid.ts';
import { ObjectStoreUnavailableError } from './errors.ts';

/** Where a store keeps its identity. */
export interface IdentityPlace {
  /** Undefined if there is none yet. Space around it does not count. */
  read(): Promise<string | undefined>;
  /** Writes it if there is none; that somebody else was faster is no error. */
  create(value: string): Promise<void>;
}

const MOST_ATTEMPTS = 5;

/** A store's identity, created if there is none. Processes that create it at the same time get the same value. */
export async function agreedIdentity(place: IdentityPlace): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const known = await place.read();
    if (known !== undefined) return known.trim();
    if (attempt === MOST_ATTEMPTS) throw new ObjectStoreUnavailableError('the identity cannot be read back');
    await place.create(newUuid());
  }
}
