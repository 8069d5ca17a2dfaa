/** `triton-image ls`: the images that the account can use. */

import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { usageError } from '../../framework/errors.ts';
import { chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { CLOUDAPI_FILTERS, readFilters } from '../../shared/images/filters.ts';
import { FLAG_MEANINGS } from '../../shared/images/flags.ts';
import { columnsFor, LONG_COLUMNS, OWN_COLUMNS, USUAL_COLUMNS } from '../columns.ts';
import { defineCommand } from '../define-command.ts';

export const ls = defineCommand({
  name: 'ls',
  aliases: ['list'],
  summary: 'list images',
  description: [
    'Public images, your own, and those that others share with you; the one published last comes last.',
    'Filters: owner (UUID, login or "me"), state, os, type, name, version (name=~TEXT and version=~TEXT: containing TEXT), public=true|false, shared=true|false, deprecated=true|false.',
    `Flags: ${FLAG_MEANINGS.map((meaning) => meaning.replace(/^(.) +/, '$1 ')).join('; ')}.`,
    `Columns: ${Object.keys(columnsFor('')).join(', ')}.`,
  ],
  arguments: { 'FIELD=VALUE': { count: 'any', help: 'Filters; an image is listed when it matches all of them.' } },
  options: {
    shared: { type: 'flag', help: 'Only what others share with you.' },
    offered: { type: 'flag', help: 'Only what others offer you and you have not accepted.' },
    mine: { type: 'flag', help: 'Only your own, with whom they are shared.' },
    all: { type: 'flag', short: 'a', help: 'In any state, not only active. The same as state=all.' },
    long: { type: 'flag', short: 'l', help: 'Show the whole UUID, and the state.' },
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'triton-image ls --shared', what: 'what others share with you' },
    { command: 'triton-image ls --offered', what: 'what waits for you to accept it' },
    { command: 'triton-image ls --mine -a', what: 'your own, also those that are on their way here' },
  ],
  async run({ options, arguments: given, context, output, json, signal }) {
    const { shared, offered, mine, all, long } = options;
    if ([shared, offered, mine].filter(Boolean).length > 1) {
      throw usageError('give one of --shared, --offered and --mine');
    }
    const { owner, ...filters } = readFilters(given['FIELD=VALUE'], CLOUDAPI_FILTERS);
    const isLogin = owner !== undefined && owner !== 'me' && !isUuid(owner);
    const filter = {
      ...(owner !== undefined && !isLogin && { owner }),
      ...(all && { state: 'all' }),
      ...(shared && { shared: true }),
      ...(offered && { offered: true }),
      ...(mine && { owner: 'me' }),
      ...filters,
    };
    const short = mine ? OWN_COLUMNS : USUAL_COLUMNS;
    const usual = long ? [...LONG_COLUMNS, ...(mine ? ['shared_with'] : [])] : short;
    // Wrong columns are told before anything is asked.
    chooseColumns(columnsFor(''), options, usual);
    const client = await context.cloudapi();
    const [account, images] = await Promise.all([client.account({ signal }), client.listImages(filter, { signal })]);
    // CloudAPI tells nobody whose a login is, but the images say who owns them.
    const wanted = isLogin ? images.filter((image) => image.owner_login === owner) : images;
    const sorted = wanted.toSorted(byPublication);
    const columns = chooseColumns(columnsFor(account.id), options, usual);
    if (json) output.jsonLines(columns.sorted(sorted));
    else printTable(output, columns, sorted, options);
    return undefined;
  },
});

/** Those that are not published yet come last. */
function byPublication(one: CloudapiImage, other: CloudapiImage): number {
  const [a, b] = [one.published_at ?? '~', other.published_at ?? '~'];
  return a === b ? 0 : a < b ? -1 : 1;
}
