/** Images from machines. */
import { ALICE } from '../../../../helpers/accounts.ts';
import { ABORT, STAYS_UP } from '../abort.ts';
import { VMS } from '../machines.ts';
import type { Difference } from '../row.ts';

const FROM_VM = 'POST /images?action=create-from-vm';
const FIRST = 'What is wrong with the request is said before what is not available.';

function from(vm: keyof typeof VMS): string {
  return `${FROM_VM}&vm_uuid=${VMS[vm]}`;
}

export const MACHINES: readonly Difference[] = [
  {
    request: FROM_VM,
    manifest: {},
    theirs: '501 NotAvailable without Manta',
    ours: '422 ValidationFailed vm_uuid/MissingParameter',
    why: FIRST,
  },
  {
    request: `${from('ordinary')}&max_origin_depth=1`,
    manifest: {},
    theirs: '501 NotAvailable without Manta',
    ours: '422 InvalidParameter max_origin_depth/Invalid',
    why: FIRST,
  },
  {
    request: from('ordinary'),
    on: 'machines',
    manifest: { owner: undefined },
    theirs: ABORT,
    ours: '422 ValidationFailed owner/MissingParameter',
    why: STAYS_UP,
  },
  {
    request: `${from('ordinary')}&account=${ALICE}`,
    on: 'machines',
    manifest: { uuid: '88888888-8888-4888-8888-888888888888' },
    theirs: '200',
    ours: '422 InvalidParameter uuid/Invalid',
    why: 'An account that chooses UUIDs learns which ones others have; operators may.',
  },
  {
    request: from('onNewNode'),
    on: 'machines',
    manifest: {},
    theirs: '422 InsufficientServerVersion, as "10.0" comes before "7.0"',
    ours: '200',
    why: 'Releases are compared as numbers.',
  },
  {
    request: from('onNoNode'),
    on: 'machines',
    manifest: {},
    theirs: '500 InternalError',
    ours: '422 InvalidParameter vm_uuid/Invalid',
    why: 'It is about the machine, not a failure of this service.',
  },
  {
    request: from('withoutImage'),
    on: 'machines',
    manifest: {},
    theirs: '500 InternalError',
    ours: '422 InvalidParameter vm_uuid/Invalid',
    why: 'It is about the machine, not a failure of this service.',
  },
  {
    request: from('destroyed'),
    on: 'machines',
    manifest: {},
    theirs: '200, and an image that fails later',
    ours: '422 InvalidParameter vm_uuid/Invalid',
    why: 'What cannot succeed is refused at once.',
  },
  {
    request: from('ordinary'),
    on: 'VMAPI down',
    manifest: {},
    theirs: '422 InvalidParameter vm_uuid/Invalid',
    ours: '503 ServiceUnavailable',
    why: 'An outage is not the mistake of whoever asks, and may be over soon.',
  },
];
