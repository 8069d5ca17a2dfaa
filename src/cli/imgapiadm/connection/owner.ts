/** The owner of an image among fields that an operator gives: by UUID, as servers take it, or by login. */
import { readUuid } from '../../shared/images/naming.ts';
import type { Connection } from './connection.ts';

type Fields = Readonly<Record<string, unknown>>;

/** @throws CommandError as `uuidOf` does, for a login */
export async function withOwner(context: Pick<Connection, 'uuidOf'>, fields: Fields): Promise<Fields> {
  const { owner } = fields;
  if (typeof owner !== 'string' || readUuid(owner) !== undefined) return fields;
  return { ...fields, owner: await context.uuidOf(owner) };
}
