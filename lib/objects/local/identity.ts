import { link, open, readFile, unlink } from 'node:fs/promises';
import { hasCode, ifThere } from '../../runtime/absence.ts';
import { agreedIdentity } from '../store-identity.ts';
import { syncDirectory } from './durable.ts';
import type { Layout } from './layout.ts';

/** See {@link agreedIdentity}. */
export function storeIdentity(layout: Layout): Promise<string> {
  return agreedIdentity({
    read: () => ifThere(readFile(layout.identity, 'utf8')),
    create: (value) => createIdentity(layout, value),
  });
}

async function createIdentity(layout: Layout, value: string): Promise<void> {
  const temporary = layout.temporary();
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${value}\n`);
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
}
