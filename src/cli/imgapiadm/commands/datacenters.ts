/** `imgapiadm datacenters`: the other datacenters and how their links are. */

import type { Datacenter } from '#lib/api/schemas/datacenter.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { defineCommand } from '../connection/define-command.ts';
import { REMOTE_PATIENCE } from '../connection/patience.ts';
import { CHECK_COLUMNS, checkTable } from '../datacenters/checks.ts';

const COLUMNS: ColumnSet<Datacenter> = {
  name: { title: 'NAME', value: ({ name }) => name },
  kind: { title: 'KIND', value: ({ kind }) => kind },
  url: { title: 'URL', value: ({ url }) => url, shrinks: true },
  health: { title: 'HEALTH', value: healthOf, shrinks: true },
  checked: { title: 'CHECKED', value: ({ health }) => health?.checked_at.replace(/\.\d+Z$/, 'Z') },
  skew: {
    title: 'SKEW',
    align: 'right',
    value: ({ health }) => (health?.clock_skew_seconds === undefined ? undefined : `${health.clock_skew_seconds} s`),
  },
  accounts: {
    title: 'ACCOUNTS',
    shrinks: true,
    value: ({ kind, allowed_accounts: accounts }) => accounts?.join(',') ?? (kind === 'link' ? 'all' : undefined),
  },
  pull_origins: { title: 'PULL_ORIGINS', value: ({ pull_origins: origins }) => origins?.join(','), shrinks: true },
  keys: { title: 'KEYS', value: ({ keys }) => keys?.join(','), shrinks: true },
  our_key: { title: 'OUR_KEY', value: (datacenter) => datacenter.our_key, shrinks: true },
  created: { title: 'CREATED', value: (datacenter) => datacenter.created_at },
};

export const datacenters = defineCommand({
  name: 'datacenters',
  summary: 'list the other datacenters and the health of their links',
  description: [
    'KIND is "link" for a link that link-dc made, "legacy" for an entry of imgapiUrlFromDatacenter. HEALTH is what was found just now; "datacenters check" also moves bytes, and says what to mend.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: TABLE_OPTIONS,
  examples: [{ command: 'imgapiadm datacenters', what: 'where images can be copied from' }],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, ['name', 'kind', 'url', 'health', 'checked']);
    const client = await context.client();
    const found = await client.listDatacenters({ signal });
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});

export const datacentersCheck = defineCommand({
  name: 'datacenters check',
  summary: 'check the link with another datacenter now',
  description: [
    'Reach, clocks, versions and keys both ways, and a megabyte each way. The exit status is 1 when a check fails.',
    `Columns: ${CHECK_COLUMNS.join(', ')}.`,
  ],
  arguments: { NAME: { help: 'The other datacenter.' } },
  options: TABLE_OPTIONS,
  examples: [{ command: 'imgapiadm datacenters check us-west-1', what: 'why does no copy come through?' }],
  async run({ options, arguments: { NAME: name }, context, output, json, signal }) {
    const tell = checkTable(options);
    const operator = await context.operator(REMOTE_PATIENCE);
    const report = await operator.checkDatacenter(name, { signal });
    if (json) output.json(report);
    else tell(output, report);
    return report.ok ? EXIT.ok : EXIT.failed;
  },
});

function healthOf({ health }: Datacenter): string | undefined {
  if (!health) return undefined;
  return health.ok ? 'ok' : (health.error ?? 'failed');
}
