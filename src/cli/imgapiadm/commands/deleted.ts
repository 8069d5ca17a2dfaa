/** `imgapiadm deleted`, `undelete` and `purge`: deleted images that can still be restored. */
import type { DeletedImage } from '#lib/api/schemas/deleted-image.ts';
import { usageError } from '../../framework/errors.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { printable } from '../../output/printable.ts';
import { readUuid } from '../../shared/images/naming.ts';
import { defineCommand } from '../connection/define-command.ts';

const COLUMNS: ColumnSet<DeletedImage> = {
  uuid: { title: 'UUID', value: ({ uuid }) => uuid },
  name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
  version: { title: 'VERSION', value: ({ version }) => version },
  size: { title: 'BYTES', align: 'right', value: ({ size }) => String(size) },
  deleted: { title: 'DELETED_UTC', value: ({ deleted_at: at }) => secondOf(at) },
  goes: { title: 'GOES_UTC', value: ({ goes_at: at }) => secondOf(at) },
  owner: { title: 'OWNER', value: ({ owner }) => owner },
  origin: { title: 'ORIGIN', value: ({ origin }) => origin },
  type: { title: 'TYPE', value: ({ type }) => type },
  os: { title: 'OS', value: ({ os }) => os },
};

const USUAL = ['uuid', 'name', 'version', 'size', 'goes'] as const;
/** How many are asked for at once. */
const PAGE = 1000;

export const deleted = defineCommand({
  name: 'deleted',
  summary: 'list deleted images that can still be restored',
  description: [
    'Those that go first are at the top. GOES_UTC is when an image can be restored no longer and its bytes go; BYTES are stored until then. With --account, those of an account.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: TABLE_OPTIONS,
  examples: [
    { command: 'imgapiadm deleted -o uuid,name,deleted,goes', what: 'when they were deleted, and when they go' },
  ],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, USUAL);
    const client = await context.client();
    const found: DeletedImage[] = [];
    for (let marker: string | undefined; ; ) {
      const page = await client.listDeletedImages({ limit: PAGE, ...(marker !== undefined && { marker }), signal });
      found.push(...page);
      marker = page.at(-1)?.uuid;
      if (page.length < PAGE) break;
    }
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});

const UUID_ARGUMENT = { count: 'some', help: 'UUID of an image, as `imgapiadm deleted` lists it.' } as const;

export const undelete = defineCommand({
  name: 'undelete',
  summary: 'restore deleted images',
  description: [
    'An image is what it was when it was deleted: with its files, its icon, its shares. Of a chain name the base first.',
  ],
  arguments: { UUID: UUID_ARGUMENT },
  options: {},
  examples: [{ command: 'imgapiadm undelete 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'it is there again' }],
  async run({ arguments: { UUID: given }, context, output, json, signal }) {
    const uuids = given.map(wholeUuid);
    const client = await context.client();
    for (const uuid of uuids) {
      const image = await client.undeleteImage(uuid, { signal });
      if (json) output.json(image);
      else output.line(`Image ${printable(`${uuid} (${image.name}@${image.version})`)} is restored.`);
    }
    return undefined;
  },
});

export const purge = defineCommand({
  name: 'purge',
  summary: 'remove deleted images for good, before their time',
  description: ['Their bytes go at once, and their UUIDs are free again. Only what is deleted already can be purged.'],
  arguments: { UUID: UUID_ARGUMENT },
  options: {},
  examples: [{ command: 'imgapiadm purge 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'its bytes go now' }],
  async run({ arguments: { UUID: given }, context, output, json, signal }) {
    const uuids = given.map(wholeUuid);
    const client = await context.client();
    for (const uuid of uuids) {
      await client.purgeImage(uuid, { signal });
      if (json) output.json({ uuid, purged: true });
      else output.line(`Deleted image ${uuid} is purged.`);
    }
    return undefined;
  },
});

/** A deleted image is found by its whole UUID alone, so that nothing that is here can be meant by mistake. */
function wholeUuid(given: string): string {
  const uuid = readUuid(given);
  if (uuid === undefined) throw usageError(`"${given}" is no UUID; imgapiadm deleted lists those of deleted images`);
  return uuid;
}

/** `2017-10-17T21:00:05` */
function secondOf(date: string): string {
  return date.replace(/\.\d+Z$/, '');
}
