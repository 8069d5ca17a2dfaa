/** Who uses an image: told in sections, or as one table of all where columns, an order or no header are asked for. */
import type { ImageUsage } from '#lib/api/schemas/usage.ts';
import { type ColumnSet, chooseColumns, printTable, type TableChoice } from '../../framework/table-options.ts';
import { counted } from '../../output/counted.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';

interface User {
  readonly kind: 'image' | 'datacenter' | 'machine';
  readonly uuid?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly state?: string | undefined;
  readonly owner?: string | undefined;
  readonly sha1?: string | undefined;
  readonly problem?: string | undefined;
}

const COLUMNS: ColumnSet<User> = {
  kind: { title: 'KIND', value: ({ kind }) => kind },
  uuid: { title: 'UUID', value: ({ uuid }) => uuid },
  name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
  version: { title: 'VERSION', value: ({ version }) => version },
  state: { title: 'STATE', value: ({ state }) => state },
  owner: { title: 'OWNER', value: ({ owner }) => owner?.slice(0, 8) },
  sha1: { title: 'SHA1', value: ({ sha1 }) => sha1 },
  problem: { title: 'PROBLEM', value: ({ problem }) => problem, shrinks: true },
};
const USUAL = ['kind', 'uuid', 'name', 'version', 'state', 'owner'] as const;

const OF_SECTIONS = {
  image: ['uuid', 'name', 'version', 'state', 'owner'],
  datacenter: ['name', 'state', 'sha1', 'problem'],
  machine: ['uuid', 'name', 'state', 'owner'],
} as const;

export const USAGE_TABLE_HELP = `With -o, -s or -H it is one table of all of them. Columns: ${Object.keys(COLUMNS).join(', ')}.`;

/** @throws CommandError of usage for an unknown column; so call it before anything is asked of a server */
export function usageReport(choice: TableChoice): (output: Output, usage: ImageUsage) => void {
  const table = chooseColumns(COLUMNS, choice, USUAL);
  const isOneTable = choice.columns.length > 0 || choice.sort.length > 0 || choice['no-header'];
  return (output, usage) => {
    if (isOneTable) printTable(output, table, usersOf(usage), choice);
    else tellSections(output, usage);
    if (isOneTable && usage.instances?.error) output.note(noMachines(usage.instances.error));
  };
}

function usersOf({ derived, datacenters = [], instances }: ImageUsage): User[] {
  return [
    ...derived.images.map((image) => ({ kind: 'image', ...image }) as const),
    ...datacenters.map(({ datacenter: name, state, recorded, sha1, error }) => {
      const problem = error && `${error.code}: ${error.message}`;
      return {
        kind: 'datacenter',
        name,
        state: state ?? (recorded ? 'copied once' : undefined),
        sha1,
        problem,
      } as const;
    }),
    ...(instances?.instances ?? []).map(({ alias: name, ...one }) => ({ kind: 'machine', name, ...one }) as const),
  ];
}

function tellSections(output: Output, usage: ImageUsage): void {
  const { derived, datacenters, instances } = usage;
  const section = (title: string, kind: User['kind']): void => {
    const rows = usersOf(usage).filter((user) => user.kind === kind);
    const heading = `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
    output.line(rows.length === 0 ? `${heading}.` : `${heading}:`);
    if (rows.length === 0) return;
    const table = chooseColumns(COLUMNS, { columns: [], sort: [] }, OF_SECTIONS[kind]);
    printTable(output, table, rows, { 'no-header': false });
  };
  section(`${atLeast(derived)}${counted(derived.count, 'image')} on top of it`, 'image');
  if (datacenters) section(counted(datacenters.length, 'other datacenter'), 'datacenter');
  if (instances?.error) output.line(noMachines(instances.error));
  else if (instances) section(`${atLeast(instances)}${counted(instances.count, 'machine')}`, 'machine');
}

function noMachines({ message }: { readonly message: string }): string {
  return `Machines: ${printable(message)}.`;
}

function atLeast({ complete }: { readonly complete: boolean }): string {
  return complete ? '' : 'at least ';
}
