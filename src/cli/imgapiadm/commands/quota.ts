/** `imgapiadm quota`: how many images and bytes accounts may keep. */
import type { Quota } from '#lib/api/schemas/quota.ts';
import { usageError } from '../../framework/errors.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { formatBytes } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { defineCommand } from '../connection/define-command.ts';

const COLUMNS: ColumnSet<Quota> = {
  account: { title: 'ACCOUNT', value: ({ account }) => account },
  images: { title: 'IMAGES', align: 'right', value: ({ used }) => String(used.images) },
  most: {
    title: 'OF',
    align: 'right',
    value: ({ limits }) => (limits.images === null ? 'any' : String(limits.images)),
  },
  bytes: { title: 'BYTES', align: 'right', value: ({ used, reserved }) => formatBytes(used.bytes + reserved) },
  'most-bytes': {
    title: 'OF',
    align: 'right',
    value: ({ limits }) => (limits.bytes === null ? 'any' : formatBytes(limits.bytes)),
  },
  own: { title: 'OWN', value: ({ own }) => Object.keys(own).join(' ') || undefined },
};

const USUAL = Object.keys(COLUMNS);

const ACCOUNT = { help: 'Login or UUID of the account.' } as const;

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

const LIMIT_OPTIONS = {
  images: {
    type: 'value',
    value: 'N',
    help: 'Most images, deleted ones that can still be restored included; none: no limit.',
    check: (given: string) => (limitOf(given, {}) === undefined ? 'a whole number, or none' : undefined),
  },
  bytes: {
    type: 'value',
    value: 'N',
    help: 'Most bytes of files and icons, as 5000000 or 500GiB; none: no limit.',
    check: (given: string) =>
      limitOf(given, UNITS) === undefined
        ? `a whole number, alone or with ${Object.keys(UNITS).join(', ')}; or none`
        : undefined,
  },
} as const;

export const quotaList = defineCommand({
  name: 'quota list',
  summary: 'list the accounts that have limits of their own',
  description: [
    'All others have the defaults of the configuration, `quotas`. Bytes of uploads that are under way count.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: TABLE_OPTIONS,
  examples: [{ command: 'imgapiadm quota list --sort=-bytes', what: 'those with the most bytes first' }],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, USUAL);
    const client = await context.client();
    const found = await client.listQuotas({ signal });
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});

export const quotaShow = defineCommand({
  name: 'quota show',
  summary: 'show what an account may keep, and what it has',
  arguments: { ACCOUNT },
  options: {},
  examples: [{ command: 'imgapiadm quota show alice', what: 'by login' }],
  async run({ arguments: { ACCOUNT: account }, context, output, json, signal }) {
    const client = await context.client();
    tell(output, json, await client.getQuota(await context.uuidOf(account), { signal }));
    return undefined;
  },
});

export const quotaSet = defineCommand({
  name: 'quota set',
  summary: 'give an account limits of its own',
  description: [
    'What is not named stays as it is. An account that has more already loses nothing, but nothing more comes until there is room.',
  ],
  arguments: { ACCOUNT },
  options: LIMIT_OPTIONS,
  examples: [
    { command: 'imgapiadm quota set alice --images=100 --bytes=500GiB', what: 'both' },
    { command: 'imgapiadm quota set alice --images=none', what: 'as many images as she likes' },
  ],
  async run({ arguments: { ACCOUNT: account }, options, context, output, json, signal }) {
    const images = options.images === undefined ? undefined : limitOf(options.images, {});
    const bytes = options.bytes === undefined ? undefined : limitOf(options.bytes, UNITS);
    if (images === undefined && bytes === undefined) throw usageError('say --images, --bytes or both');
    const limits = { ...(images !== undefined && { images }), ...(bytes !== undefined && { bytes }) };
    const client = await context.client();
    tell(output, json, await client.setQuota(await context.uuidOf(account), limits, { signal }));
    return undefined;
  },
});

export const quotaUnset = defineCommand({
  name: 'quota unset',
  summary: 'give an account the limits of the configuration again',
  arguments: { ACCOUNT },
  options: {},
  examples: [{ command: 'imgapiadm quota unset alice', what: 'both limits' }],
  async run({ arguments: { ACCOUNT: account }, context, output, json, signal }) {
    const client = await context.client();
    tell(output, json, await client.unsetQuota(await context.uuidOf(account), { signal }));
    return undefined;
  },
});

/** null: no limit; undefined: it is not a limit. */
function limitOf(given: string, units: Readonly<Record<string, number>>): number | null | undefined {
  if (given === 'none') return null;
  const [, digits, unit = ''] = /^(\d{1,16})([A-Za-z]*)$/.exec(given) ?? [];
  const factor = unit === '' ? 1 : units[unit];
  if (digits === undefined || factor === undefined) return undefined;
  const limit = Number(digits) * factor;
  return Number.isSafeInteger(limit) ? limit : undefined;
}

function tell(output: Output, json: boolean, quota: Quota): void {
  if (json) {
    output.json(quota);
    return;
  }
  const { account, limits, own, used, reserved } = quota;
  const whose = (what: 'images' | 'bytes') => (own[what] === undefined ? 'default' : 'its own');
  const images = limits.images === null ? 'any number' : String(limits.images);
  const bytes = limits.bytes === null ? 'any number' : formatBytes(limits.bytes);
  output.line(`Account ${account}`);
  output.line(`  images  ${used.images} of ${images} (${whose('images')})`);
  output.line(`  bytes   ${formatBytes(used.bytes + reserved)} of ${bytes} (${whose('bytes')})`);
}
