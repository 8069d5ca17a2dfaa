/** The columns in which an account's images can be listed. */

import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import type { ColumnSet } from '../framework/table-options.ts';
import { imageColumns } from '../shared/images/columns.ts';
import { shownEntries } from '../shared/images/sharing.ts';
import { toImage } from './image.ts';

export const USUAL_COLUMNS = ['shortid', 'owner_login', 'name', 'version', 'flags', 'os', 'type', 'pubdate'] as const;
/** Of one's own: whose they are is known. */
export const OWN_COLUMNS = ['shortid', 'name', 'version', 'flags', 'os', 'pubdate', 'shared_with'] as const;
export const LONG_COLUMNS = ['id', 'owner_login', 'name', 'version', 'state', ...USUAL_COLUMNS.slice(4)] as const;

/** @param account UUID of the account whose list it is */
export function columnsFor(account: string): ColumnSet<CloudapiImage> {
  const known = Object.entries(imageColumns(account)).map(([name, { value, ...column }]) => [
    name,
    { ...column, value: (image: CloudapiImage) => value(toImage(image)) },
  ]);
  return {
    ...Object.fromEntries(known),
    id: { title: 'ID', value: ({ id }) => id },
    shared_with: {
      title: 'SHARED_WITH',
      shrinks: true,
      value: ({ shared_with: entries, left_by: left, accepted_by: accepted }) =>
        shownEntries(entries, left, accepted).join(','),
    },
  };
}
