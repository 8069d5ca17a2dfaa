/** Reads FIELD=VALUE arguments as fields of an image. */
import { readFile } from 'node:fs/promises';
import { isObject, MANIFEST_FIELDS } from '#lib/manifest/fields.ts';
import { suggestion } from '#lib/text/suggest.ts';
import { CommandError, usageError } from '../../framework/errors.ts';
import { fileProblem } from '../file-problem.ts';

const FLAGS: ReadonlySet<string> = new Set(['public', 'disabled', 'generate_passwords']);
const LISTS: ReadonlySet<string> = new Set(['acl', 'billing_tags', 'inherited_directories']);
/** Written as JSON, because they have parts or are numbers. */
const JSONS: ReadonlySet<string> = new Set([
  'error',
  'files',
  'image_size',
  'requirements',
  'tags',
  'traits',
  'users',
  'v',
]);

const FORMS =
  'acl, billing_tags and inherited_directories are lists with commas; tags, traits, requirements and users are JSON.';

/** For the help of commands that change an image. */
export const ASSIGNMENT = { help: `Fields of the image. ${FORMS} FIELD= removes a field.` } as const;

/** The same for those that make one. @param needed besides what every image needs */
export function newFields(needed: string, forms = FORMS): { readonly help: string } {
  const last = 'FIELD= leaves out what the manifest has.';
  return { help: `Fields of the image: ${needed}name, version, type and os are needed. ${forms} ${last}` };
}

/** @throws CommandError of usage */
export function readAssignments(given: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw usageError(`${JSON.stringify(text)} is wrong; it must be FIELD=VALUE`);
      const [field, value] = [text.slice(0, at), text.slice(at + 1)];
      if (!(MANIFEST_FIELDS as readonly string[]).includes(field)) {
        throw usageError(`unknown field ${JSON.stringify(field)}${suggestion(field, MANIFEST_FIELDS)}`);
      }
      return [field, readValue(field, value)];
    }),
  );
}

function readValue(field: string, value: string): unknown {
  if (value === '') return null;
  if (JSONS.has(field)) return readJsonValue(field, value);
  if (LISTS.has(field)) return value.startsWith('[') ? readJsonValue(field, value) : value.split(',');
  if (!FLAGS.has(field)) return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw usageError(`${field} is ${JSON.stringify(value)}; it must be true or false`);
}

function readJsonValue(field: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw usageError(`${field} is ${JSON.stringify(value)}; it must be JSON`);
  }
}

/** A manifest in a file. @throws CommandError ManifestFile */
export async function readManifest(file: string): Promise<Record<string, unknown>> {
  const wrong = (why: string, cause?: unknown): CommandError =>
    new CommandError(`the manifest ${file} cannot be used: ${why}`, { code: 'ManifestFile', cause });
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw wrong(error instanceof SyntaxError ? 'it is no JSON' : fileProblem(error), error);
  }
  if (isObject(value)) return value;
  throw wrong('it is no JSON object');
}
