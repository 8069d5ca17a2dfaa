/** Reads one record of a source, of which nothing is believed. */
import { JsonError, parseJson } from '#lib/text/json.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { type Fields, type Listed, UnreadableError } from './data-source.ts';

/** Far more than an image can have in any field. */
export const LARGEST_RECORD = 8 * 1024 * 1024;

/** @throws UnreadableError */
export function parseRecord(bytes: Uint8Array): Fields {
  try {
    const value = parseJson(bytes);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
    throw new UnreadableError('it is JSON, but no object');
  } catch (error) {
    if (error instanceof JsonError) throw new UnreadableError(`it is ${error.message}`, { cause: error });
    throw error;
  }
}

/** What is listed of a record. @param uuid that it should have, if its place says so */
export function listedRecord(where: string, read: () => Fields, uuid?: string): Listed {
  try {
    const fields = read();
    const own = fields['uuid'];
    if (!isUuid(own)) return { where, problem: `its uuid is ${shown(own)}`, ...(uuid !== undefined && { uuid }) };
    if (uuid !== undefined && own !== uuid) return { where, uuid, problem: `its uuid is ${shown(own)}, not ${uuid}` };
    const { origin } = fields;
    return { where, uuid: own, ...(isUuid(origin) && { origin }) };
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return { where, problem: error.message, ...(uuid !== undefined && { uuid }) };
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 100);
}
