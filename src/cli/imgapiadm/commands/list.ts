/** `imgapiadm list`: the images that the operator, or an account, sees. */

import type { Image } from '#lib/api/schemas/image.ts';
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { usageError } from '../../framework/errors.ts';
import { chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { imageColumns, usualColumns } from '../../shared/images/columns.ts';
import { readFilters } from '../../shared/images/filters.ts';
import { FLAG_MEANINGS } from '../../shared/images/flags.ts';
import { defineCommand } from '../connection/define-command.ts';

const COUNT = /^[1-9]\d{0,5}$/;

export const list = defineCommand({
  name: 'list',
  aliases: ['ls'],
  summary: 'list images',
  description: [
    "Filters: owner (UUID, or login on the server's machine), state, os, type, name, version (name=~TEXT and version=~TEXT: containing TEXT; type=!TYPE: any other), public=true|false, shared=true|false (with --account: what others shared with it), deprecated=true|false, billing_tag=TAG, tag.KEY=VALUE.",
    `Flags: ${FLAG_MEANINGS.map((meaning) => meaning.replace(/^(.) +/, '$1 ')).join('; ')}.`,
    `Columns: ${Object.keys(imageColumns(undefined)).join(', ')}.`,
  ],
  arguments: { 'FIELD=VALUE': { count: 'any', help: 'Filters; an image is listed when it matches all of them.' } },
  options: {
    all: { type: 'flag', help: 'In any state, not only active. The same as state=all.' },
    shared: { type: 'flag', help: 'Only what others shared with --account. The same as shared=true.' },
    limit: {
      type: 'value',
      value: 'N',
      help: 'At most N images. Default: all of them.',
      check: (value) => (COUNT.test(value) ? undefined : 'a whole number from 1 to 999999'),
    },
    long: { type: 'flag', short: 'l', help: 'Show the whole UUID.' },
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'imgapiadm list os=smartos name=~base', what: 'SmartOS images with base in their name' },
    { command: 'imgapiadm list --all -o uuid,state,owner,size', what: 'what is here, usable or not' },
    {
      command: 'imgapiadm list --shared -a 930896af-bf8c-48d4-885c-6573a94b1853',
      what: 'what others shared with an account',
    },
  ],
  async run({ options, arguments: given, context, output, json, signal }) {
    const { all, shared, limit, long } = options;
    const usual = usualColumns({ long, all });
    // What is wrong with the command line is told before anything is asked.
    chooseColumns(imageColumns(undefined), options, usual);
    const filters = readFilters(given['FIELD=VALUE']);
    const account = await context.account();
    const columns = chooseColumns(imageColumns(account), options, usual);
    const filter = {
      ...(all && { state: 'all' }),
      ...(shared && { shared: true }),
      ...filters,
      ...(filters.owner !== undefined && { owner: await context.uuidOf(filters.owner) }),
    };
    if (filter.shared !== undefined && account === undefined) {
      throw usageError('images are shared with an account: name it with --account');
    }
    const images = await fetchImages(
      await context.client(),
      filter,
      limit === undefined ? undefined : Number(limit),
      signal,
    );
    if (json) output.jsonLines(columns.sorted(images));
    else printTable(output, columns, images, options);
    return undefined;
  },
});

interface Lister {
  listAll(
    filter: ListImagesFilter,
    options: { readonly signal: AbortSignal; readonly pageSize?: number },
  ): AsyncIterable<Image>;
}

async function fetchImages(
  client: Lister,
  filter: ListImagesFilter,
  limit: number | undefined,
  signal: AbortSignal,
): Promise<Image[]> {
  const images: Image[] = [];
  const pageSize = limit !== undefined && limit < 1000 ? { pageSize: limit } : {};
  for await (const image of client.listAll(filter, { signal, ...pageSize })) {
    images.push(image);
    if (images.length === limit) break;
  }
  return images;
}
