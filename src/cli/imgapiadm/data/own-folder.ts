import { stat } from 'node:fs/promises';
import { ifThere } from '#lib/runtime/absence.ts';
import { CommandError } from '../../framework/errors.ts';

/** What another user than the server's would write, the server could not read. @throws CommandError */
export async function assertOwnFolder(dataDir: string): Promise<void> {
  const found = await ifThere(stat(dataDir));
  const user = process.geteuid?.();
  if (!found || user === undefined || found.uid === user) return;
  throw new CommandError(`${dataDir} belongs to another user, of number ${found.uid}: run this as that user`, {
    code: 'NotTheService',
    details: ['runuser -u imgapi, sudo -u imgapi, su -s /bin/sh nobody'],
  });
}
