/** `triton-image deleted` and `undelete`: deleted images of the account that can still be restored. */
import { usageError } from '../../framework/errors.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { printable } from '../../output/printable.ts';
import { readUuid } from '../../shared/images/naming.ts';
import type { DeletedCloudapiImage } from '../cloudapi-client.ts';
import { defineCommand } from '../define-command.ts';
import { imageLabel } from '../image.ts';

const COLUMNS: ColumnSet<DeletedCloudapiImage> = {
  id: { title: 'ID', value: ({ id }) => id },
  name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
  version: { title: 'VERSION', value: ({ version }) => version },
  size: { title: 'BYTES', align: 'right', value: ({ size }) => String(size) },
  deleted: { title: 'DELETED_UTC', value: ({ deleted_at: at }) => secondOf(at) },
  goes: { title: 'GOES_UTC', value: ({ goes_at: at }) => secondOf(at) },
  origin: { title: 'ORIGIN', value: ({ origin }) => origin },
};

const USUAL = ['id', 'name', 'version', 'goes'] as const;

export const deleted = defineCommand({
  name: 'deleted',
  summary: 'list your deleted images that can still be restored',
  description: [
    'Those that go first are at the top. GOES_UTC is when an image can be restored no longer.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: TABLE_OPTIONS,
  examples: [{ command: 'triton-image deleted', what: 'what can be restored' }],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, USUAL);
    const found = await (await context.cloudapi()).deletedImages({ signal });
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});

export const undelete = defineCommand({
  name: 'undelete',
  summary: 'restore deleted images of your own',
  description: [
    'An image is what it was when it was deleted: with its file, its icon, its shares. Of a chain name the base first.',
  ],
  arguments: { ID: { count: 'some', help: 'UUID of an image, as `triton-image deleted` lists it.' } },
  options: {},
  examples: [{ command: 'triton-image undelete 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'it is there again' }],
  async run({ arguments: { ID: given }, context, output, json, signal }) {
    const ids = given.map(wholeUuid);
    const client = await context.cloudapi();
    for (const id of ids) {
      const image = await client.undelete(id, { signal });
      if (json) output.json(image);
      else output.line(`Image ${printable(imageLabel(image))} is restored.`);
    }
    return undefined;
  },
});

/** A deleted image is found by its whole UUID alone, so that nothing that is here can be meant by mistake. */
function wholeUuid(given: string): string {
  const uuid = readUuid(given);
  if (uuid === undefined) throw usageError(`"${given}" is no UUID; triton-image deleted lists those of deleted images`);
  return uuid;
}

/** `2017-10-17T21:00:05` */
function secondOf(date: string): string {
  return date.replace(/\.\d+Z$/, '');
}
