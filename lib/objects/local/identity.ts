import { link, open, readFile, unlink } from 'node:fs/promises';
import { hasCode, ifThere } from '../../runtime/absence.ts';
import { newUuid } from '../../text/uuid.ts';
import { syncDirectory } from './durable.ts';
import type { Layout } from './layout.ts';

/** The store's identity, created if there is none. Processes that create it at the same time get the same value. */
export async function storeIdentity(layout: Layout): Promise<string> {
  const known = await readIdentity(layout.identity);
  if (known !== undefined) {
    return known;
  }
  const temporary = layout.temporary();
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${newUuid()}\n`);
    await handle.sync();
    // Unlike a rename, a link never replaces the value that another process placed first.
    await link(temporary, layout.identity);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) {
      throw error;
    }
  } finally {
    await handle.close();
    await unlink(temporary);
  }
  await syncDirectory(layout.root);
  return storeIdentity(layout);
}

async function readIdentity(file: string): Promise<string | undefined> {
  return (await ifThere(readFile(file, 'utf8')))?.trim();
}
