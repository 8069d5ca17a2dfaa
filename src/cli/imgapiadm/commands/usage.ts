/** `imgapiadm usage`: who uses an image. */
import type { ImageUsage } from '#lib/api/schemas/usage.ts';
import { counted } from '../../output/counted.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { type Column, formatTable } from '../../output/table.ts';
import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

type Derived = ImageUsage['derived']['images'][number];
type Holder = NonNullable<ImageUsage['datacenters']>[number];
type Instance = NonNullable<ImageUsage['instances']>['instances'][number];

const DERIVED: readonly Column<Derived>[] = [
  { title: 'UUID', value: ({ uuid }) => uuid },
  { title: 'NAME', value: ({ name }) => name, shrinks: true },
  { title: 'VERSION', value: ({ version }) => version },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'OWNER', value: ({ owner }) => owner?.slice(0, 8) },
];
const HOLDERS: readonly Column<Holder>[] = [
  { title: 'DATACENTER', value: ({ datacenter }) => datacenter },
  { title: 'STATE', value: ({ state, recorded }) => state ?? (recorded ? 'copied once' : undefined) },
  { title: 'SHA1', value: ({ sha1 }) => sha1 },
  { title: 'PROBLEM', value: ({ error }) => error && `${error.code}: ${error.message}`, shrinks: true },
];
const INSTANCES: readonly Column<Instance>[] = [
  { title: 'UUID', value: ({ uuid }) => uuid },
  { title: 'ALIAS', value: ({ alias }) => alias, shrinks: true },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'OWNER', value: ({ owner }) => owner?.slice(0, 8) },
];

export const usage = defineCommand({
  name: 'usage',
  summary: 'tell who uses an image',
  description: [
    'The images that build on it, the linked datacenters that have it, and, where VMAPI is configured, the machines that were made of it.',
    'With --account only what that account may see; which datacenters have it is told to its owner and to operators.',
  ],
  arguments: { IMAGE: IMAGE_ARGUMENT },
  options: {},
  examples: [{ command: 'imgapiadm usage base-64@17.4.0', what: 'can it be given up?' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.client();
    const uuid = await imageUuid(client, given, { account: await context.account(), signal });
    const found = await client.getImageUsage(uuid, { signal });
    if (json) output.json(found);
    else print(output, found);
    return undefined;
  },
});

function print(output: Output, { derived, datacenters, instances }: ImageUsage): void {
  section(output, `${atLeast(derived)}${counted(derived.count, 'image')} on top of it`, DERIVED, derived.images);
  if (datacenters) section(output, `${counted(datacenters.length, 'other datacenter')}`, HOLDERS, datacenters);
  if (instances?.error) output.line(`Machines: ${printable(instances.error.message)}.`);
  else if (instances) {
    section(output, `${atLeast(instances)}${counted(instances.count, 'machine')}`, INSTANCES, instances.instances);
  }
}

function atLeast({ complete }: { readonly complete: boolean }): string {
  return complete ? '' : 'at least ';
}

function section<Row>(output: Output, title: string, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const heading = `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
  output.line(rows.length === 0 ? `${heading}.` : `${heading}:`);
  if (rows.length === 0) return;
  for (const line of formatTable(columns, rows, { width: output.width })) output.line(line);
}
