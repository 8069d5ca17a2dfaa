/** All differences from today's IMGAPI that are meant, in the parts in which docs/compatibility.md shows them. */
import { CREATE } from './differences/create.ts';
import { FILES } from './differences/files.ts';
import { IMPORT } from './differences/import.ts';
import { LISTS } from './differences/lists.ts';
import { MACHINES } from './differences/machines.ts';
import { OTHER_MODES } from './differences/other-modes.ts';
import { SERVICE } from './differences/service.ts';
import { UPDATE } from './differences/update.ts';
import type { Difference } from './row.ts';

export interface Part {
  readonly title: string;
  readonly rows: readonly Difference[];
}

export const DIFFERENCES: readonly Part[] = [
  { title: 'Lists', rows: LISTS },
  { title: 'New images', rows: CREATE },
  { title: 'Images from machines', rows: MACHINES },
  { title: 'Imports', rows: IMPORT },
  { title: 'Changes', rows: UPDATE },
  { title: 'Files and icons', rows: FILES },
  { title: 'The service', rows: SERVICE },
  { title: 'Public and private servers', rows: OTHER_MODES },
];
