/** `imgapiadm ancestry`: the chain of origins that an image builds on. */
import type { AncestryEntry } from '#lib/client/types.ts';
import { defineCommand } from '../connection/define-command.ts';
import { checkUuid } from '../connection/options.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../framework/table-options.ts';
import { formatBytes } from '../output/bytes.ts';

/** Servers may answer whole manifests. */
type Ancestor = AncestryEntry & {
  readonly files?: readonly { readonly size: number }[];
  readonly owner_login?: string;
};

const COLUMNS: ColumnSet<Ancestor> = {
  shortid: { title: 'SHORTID', value: ({ uuid }) => uuid.slice(0, 8) },
  uuid: { title: 'UUID', value: ({ uuid }) => uuid },
  name: { title: 'NAME', value: ({ name }) => name },
  version: { title: 'VERSION', value: ({ version }) => version },
  state: { title: 'STATE', value: ({ state }) => state },
  owner: { title: 'OWNER', value: ({ owner, owner_login: login }) => login ?? owner },
  size: {
    title: 'SIZE',
    align: 'right',
    value: (image) => (sizeOf(image) === undefined ? undefined : formatBytes(sizeOf(image) ?? 0)),
  },
};

export const ancestry = defineCommand({
  name: 'ancestry',
  summary: 'list the images that an image builds on',
  description: [
    'The image itself first, then each origin below, down to the base. An origin without a name is not here, or not for the account to see.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: { IMAGE: { help: 'UUID of the image.', check: checkUuid } },
  options: TABLE_OPTIONS,
  examples: [
    {
      command: 'imgapiadm ancestry 0965c1f4-6995-c095-ecb5-c1a80be2b08e',
      what: 'what a copy of this image brings along',
    },
  ],
  async run({ options, arguments: { IMAGE: uuid }, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options.columns, ['uuid', 'name', 'version', 'state', 'owner', 'size']);
    const client = await context.client();
    const found: readonly Ancestor[] = await client.ancestry(uuid, { signal });
    if (json) output.json(found);
    else printTable(output, columns, downward(uuid, found), options);
    return undefined;
  },
});

/** From the image to its base, in whatever order they came; an origin that did not come stands there by its UUID. */
function downward(uuid: string, found: readonly Ancestor[]): Ancestor[] {
  const byUuid = new Map(found.map((entry) => [entry.uuid, entry]));
  const chain: Ancestor[] = [];
  for (let next: string | undefined = uuid; next !== undefined && !chain.some((entry) => entry.uuid === next); ) {
    const entry: Ancestor = byUuid.get(next) ?? { uuid: next };
    chain.push(entry);
    next = entry.origin;
  }
  return chain;
}

function sizeOf({ size, files }: Ancestor): number | undefined {
  return size ?? files?.[0]?.size;
}
