import type { WriteSession } from './object-store.ts';

/**
 * What is done with a session before whoever ends it has got it. If that fails it is closed, or it would hold its memory and
 * its file until the process ends.
 */
export async function orClosed<T>(session: WriteSession, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await session.close().catch(() => undefined);
    throw error;
  }
}
