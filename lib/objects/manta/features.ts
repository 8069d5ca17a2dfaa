/** What the Manta that is asked can do, found out by asking. */
import { newUuid } from '../../text/uuid.ts';
import { hasMantaCode, isAbsent, isRefusal } from './failure.ts';
import type { Layout } from './layout.ts';
import type { Names } from './names.ts';

export interface Features {
  /** Version 1 has them. Set to false when a link is refused: the Manta was upgraded meanwhile. */
  snaplinks: boolean;
  readonly multipart: boolean;
}

/** @throws MantaError when the credentials do not work here, MantaSilentError */
export async function findFeatures(names: Names, layout: Layout, user: string): Promise<Features> {
  return { snaplinks: await hasSnaplinks(names, layout), multipart: await hasUploads(names, user) };
}

/** A link to what cannot be there makes nothing, but the refusals differ. */
async function hasSnaplinks(names: Names, { base }: Layout): Promise<boolean> {
  const absent = `${base}/.absent.${newUuid()}`;
  try {
    await names.link(absent, `${absent}.link`);
    return true;
  } catch (error) {
    if (hasMantaCode(error, 'SnaplinksDisabledError')) return false;
    if (isAbsent(error)) return true;
    throw error;
  }
}

async function hasUploads(names: Names, user: string): Promise<boolean> {
  try {
    return (await names.info(`/${user}/uploads`)) !== undefined;
  } catch (error) {
    // Subusers may not use them.
    if (isRefusal(error)) return false;
    throw error;
  }
}
