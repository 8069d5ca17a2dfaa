/** What a copy would bring, and what it would change of an image that is here already. */

import type { CopyPlan } from '#lib/api/schemas/copy.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { formatBytes } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { formatTable } from '../../output/table.ts';
import { changedWords, type FieldChanges, reportChanges } from './report-copy.ts';

export interface PlannedCopy extends CopyPlan {
  /** What would be refreshed; only when the image itself is here. */
  readonly changes?: FieldChanges;
}

type PlannedImage = CopyPlan['images'][number];

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

const COLUMNS = [
  { title: 'UUID', value: ({ uuid }: PlannedImage) => uuid },
  { title: 'NAME', value: ({ name }: PlannedImage) => name },
  { title: 'VERSION', value: ({ version }: PlannedImage) => version },
  { title: 'SIZE', align: 'right', value: ({ size }: PlannedImage) => formatBytes(size) },
  { title: 'ACTION', value: ({ action }: PlannedImage) => ACTIONS[action] },
] as const;

const ACTIONS: Readonly<Record<PlannedImage['action'], string>> = {
  copy: 'would be copied',
  here: 'is here already',
  attach: 'is on its way already',
};

export function reportPlan(output: Output, plan: PlannedCopy): void {
  for (const line of formatTable(COLUMNS, plan.images)) output.line(line);
  const { bytes_to_copy: missing, bytes_total: total, datacenter, changes } = plan;
  output.line(`${formatBytes(missing)} of ${formatBytes(total)} would come from ${printable(datacenter)}.`);
  if (changes === undefined) return;
  output.line(`${changedWords(changes, 'would be refreshed')}.`);
  reportChanges(output, changes);
}
