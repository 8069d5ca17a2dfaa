/** What a copy would bring, and what it would change of an image that is here already. */

import type { CopyPlan } from '#lib/api/schemas/copy.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { type ColumnSet, chooseColumns, printTable, type TableChoice } from '../../framework/table-options.ts';
import { formatBytes } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { changedWords, type FieldChanges, reportChanges } from './report-copy.ts';

export interface PlannedCopy extends CopyPlan {
  /** What would be refreshed; only when the image itself is here. */
  readonly changes?: FieldChanges;
}

/** `to`: the datacenter that it would come to, where there are several. */
type PlannedImage = CopyPlan['images'][number] & { readonly to?: string };

/** Nothing is written by it. */
export async function planOf(
  client: Pick<ImgapiClient, 'planImageCopy' | 'copyImageFromDc'>,
  uuid: string,
  datacenter: string,
  signal: AbortSignal,
): Promise<PlannedCopy> {
  const plan = await client.planImageCopy(uuid, datacenter, { signal });
  const isHere = plan.images.find((image) => image.uuid === uuid)?.action === 'here';
  if (!isHere) return plan;
  const { changes = [] } = await client.copyImageFromDc(uuid, { datacenter, dry_run: true, signal });
  return { ...plan, changes };
}

const ACTIONS: Readonly<Record<PlannedImage['action'], string>> = {
  copy: 'would be copied',
  here: 'is here already',
  attach: 'is on its way already',
};

const COLUMNS: ColumnSet<PlannedImage> = {
  to: { title: 'TO', value: ({ to }) => to },
  uuid: { title: 'UUID', value: ({ uuid }) => uuid },
  shortid: { title: 'SHORTID', value: ({ uuid }) => uuid.slice(0, 8) },
  name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
  version: { title: 'VERSION', value: ({ version }) => version, shrinks: true },
  size: { title: 'SIZE', align: 'right', amount: ({ size }) => size, value: ({ size }) => formatBytes(size) },
  action: { title: 'ACTION', value: ({ action }) => ACTIONS[action], shrinks: true },
};
const USUAL = ['uuid', 'name', 'version', 'size', 'action'] as const;

const [, ...OF_ONE] = Object.keys(COLUMNS);
const WITH_OPTIONS = 'with -o, -s or -H the table alone is printed, and all else to standard error';

/** For the help of a command. @param ofMany where `to` says something */
export function planTableHelp(ofMany: boolean): string {
  const columns = ofMany ? ['to', ...OF_ONE] : OF_ONE;
  return `Columns of --dry-run: ${columns.join(', ')}; ${WITH_OPTIONS}.`;
}

export interface PlanReport {
  one(output: Output, plan: PlannedCopy): void;
  /** In one table where columns, an order or no header are asked for, else each by itself. */
  many(output: Output, plans: readonly { readonly name: string; readonly result: PlannedCopy }[]): void;
}

/** @throws CommandError of usage for an unknown column; so call it before anything is asked of a server */
export function planReport(choice: TableChoice): PlanReport {
  const isTable = choice.columns.length > 0 || choice.sort.length > 0 || choice['no-header'];
  const table = chooseColumns(COLUMNS, choice, USUAL);
  const tableOfMany = chooseColumns(COLUMNS, choice, ['to', ...USUAL]);
  const tell = (output: Output, plan: PlannedCopy): void => {
    printTable(output, table, plan.images, choice);
    tellRest(output, plan, isTable);
  };
  return {
    one: tell,
    many(output, plans) {
      if (isTable) {
        const rows = plans.flatMap(({ name: to, result }) => result.images.map((image) => ({ ...image, to })));
        printTable(output, tableOfMany, rows, choice);
      }
      for (const { name, result } of plans) {
        const heading = `To ${printable(name)}:`;
        if (isTable) {
          output.note(heading);
          tellRest(output, result, isTable);
        } else {
          output.line(heading);
          tell(output, result);
        }
      }
    },
  };
}

function tellRest(
  output: Output,
  { bytes_to_copy: missing, bytes_total: total, datacenter, changes }: PlannedCopy,
  isTable: boolean,
): void {
  const say = (text: string): void => (isTable ? output.note(text) : output.line(text));
  say(`${formatBytes(missing)} of ${formatBytes(total)} would come from ${printable(datacenter)}.`);
  if (changes === undefined) return;
  say(`${changedWords(changes, 'would be refreshed')}.`);
  reportChanges(output, changes, say);
}
