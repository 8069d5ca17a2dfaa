/** `triton-image sync`: copies all images that match a filter and are missing. */
import { usageError } from '../../framework/errors.ts';
import { chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { FINISH_BY_OPTION } from '../../shared/copying/finish-by.ts';
import { RECONNECT_OPTION, RECONNECT_SECONDS } from '../../shared/copying/reconnect.ts';
import { CLOUDAPI_FILTERS, readFilters } from '../../shared/images/filters.ts';
import { columnsFor } from '../columns.ts';
import { defineCommand } from '../define-command.ts';
import { type Sync, syncImages } from '../sync-images.ts';

/** Those of one's own images; whose they are is known. */
const FILTERS = CLOUDAPI_FILTERS.filter((name) => name !== 'owner' && name !== 'shared');

const COLUMNS = columnsFor('');
const USUAL = ['shortid', 'name', 'version', 'os', 'size'] as const;

export const sync = defineCommand({
  name: 'sync',
  summary: 'copy those of your images that match and are missing here',
  description: [
    'They come to the datacenter of the profile, each with its chain. One that fails does not stop the others. Copies belong to the cloud: interrupting this command ends none, and repeating it watches them again and orders what is still missing.',
    `Filters: ${FILTERS.join(', ')} (name=~TEXT and version=~TEXT: containing TEXT). Only active images are copied.`,
    `Columns of --dry-run: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {
    'SRC-DC': { help: 'The datacenter to copy from.' },
    'FIELD=VALUE': {
      count: 'any',
      help: 'Filters; an image is copied when it matches all of them. None: all of your own.',
    },
  },
  options: {
    refresh: { type: 'flag', help: 'Refresh the descriptive fields and shares of those that are here, too.' },
    'dry-run': { type: 'flag', help: 'Only list what would be copied.' },
    'no-wait': { type: 'flag', help: 'Order the copies and leave.' },
    'finish-by': FINISH_BY_OPTION,
    'reconnect-for': RECONNECT_OPTION,
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'triton-image -p us-west-1 sync us-sw-1 name=~web os=linux', what: 'from us-sw-1 to us-west-1' },
    { command: 'triton-image sync us-sw-1 --dry-run', what: 'what is missing here' },
  ],
  async run({ options, arguments: given, context, output, json, signal }) {
    const { refresh, 'dry-run': dryRun, 'no-wait': noWait, 'finish-by': finishBy } = options;
    const { 'reconnect-for': seconds = RECONNECT_SECONDS } = options;
    const filter = readFilters(given['FIELD=VALUE'], FILTERS);
    if (filter.state !== undefined && filter.state !== 'active') throw usageError('only active images can be copied');
    const choice = dryRun ? 'plan' : noWait ? 'order' : 'watch';
    const table = chooseColumns(COLUMNS, options, USUAL);
    const report: Sync['report'] = (to, images, asJson) => {
      if (asJson) to.jsonLines(table.sorted(images));
      else printTable(to, table, images, options);
    };
    const wish = { session: context, datacenter: given['SRC-DC'], filter, refresh, choice, report, finishBy } as const;
    return syncImages({ ...wish, patience: Number(seconds) * 1000, output, json, signal });
  },
});
