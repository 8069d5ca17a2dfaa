/** The chain of origins that an image builds on, as a table. */
import type { Image } from '#lib/api/schemas/image.ts';
import type { ColumnSet } from '../../framework/table-options.ts';
import { formatBytes } from '../../output/bytes.ts';

/** Of one that did not come only the UUID is known. */
export type Ancestor = Partial<Image> & Pick<Image, 'uuid'>;

export const ANCESTRY_COLUMNS: ColumnSet<Ancestor> = {
  shortid: { title: 'SHORTID', value: ({ uuid }) => uuid.slice(0, 8) },
  uuid: { title: 'UUID', value: ({ uuid }) => uuid },
  name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
  version: { title: 'VERSION', value: ({ version }) => version },
  state: { title: 'STATE', value: ({ state }) => state },
  owner: { title: 'OWNER', value: ({ owner, owner_login: login }) => login ?? owner?.slice(0, 8) },
  size: {
    title: 'SIZE',
    align: 'right',
    amount: sizeOf,
    value: (image) => (sizeOf(image) === undefined ? undefined : formatBytes(sizeOf(image) ?? 0)),
  },
};

export const USUAL_ANCESTRY_COLUMNS = ['shortid', 'name', 'version', 'state', 'owner', 'size'] as const;

/** From the image to its base, in whatever order they came; an origin that did not come stands there by its UUID. */
export function downward(uuid: string, found: readonly Ancestor[]): Ancestor[] {
  const byUuid = new Map(found.map((entry) => [entry.uuid, entry]));
  const chain: Ancestor[] = [];
  for (let next: string | undefined = uuid; next !== undefined && !chain.some((entry) => entry.uuid === next); ) {
    const entry: Ancestor = byUuid.get(next) ?? { uuid: next };
    chain.push(entry);
    next = entry.origin;
  }
  return chain;
}

function sizeOf({ files }: Ancestor): number | undefined {
  return files?.[0]?.size;
}
