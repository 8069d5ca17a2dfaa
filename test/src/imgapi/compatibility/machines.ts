/** The machines that rows speak of, each by its UUID. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { startTriton } from '../../../doubles/triton/triton.ts';
import { ADMIN, ALICE } from '../../../helpers/accounts.ts';
import { temporaryFolder } from '../../../helpers/imgapi.ts';
import { fromVmKeys } from '../../machines/fixture.ts';
import { imageRecord } from '../fixtures/records.ts';

export const VMS = {
  ordinary: '11111111-1111-4111-8111-111111111111',
  /** On a node with platform 10.0. */
  onNewNode: '22222222-2222-4222-8222-222222222222',
  /** On a node that CNAPI does not know. */
  onNoNode: '33333333-3333-4333-8333-333333333333',
  destroyed: '44444444-4444-4444-8444-444444444444',
  withoutImage: '55555555-5555-4555-8555-555555555555',
} as const;

const NEW_NODE = '66666666-6666-4666-8666-666666666666';
const UNKNOWN_NODE = '77777777-7777-4777-8777-777777777777';

/** Keys of an IMGAPI beside VMAPI and CNAPI, and the image that all the machines were made of. */
export async function machinesFor(t: Test) {
  const triton = await startTriton(t);
  const template = imageRecord('active', { owner: ADMIN, public: true });
  const common = { owner_uuid: ALICE, image_uuid: template.uuid };
  triton.addServer(NEW_NODE, '10.0', '20260101T000000Z');
  triton.addVm({ ...common, uuid: VMS.ordinary });
  triton.addVm({ ...common, uuid: VMS.onNewNode, server_uuid: NEW_NODE });
  triton.addVm({ ...common, uuid: VMS.onNoNode, server_uuid: UNKNOWN_NODE });
  triton.addVm({ ...common, uuid: VMS.destroyed, state: 'destroyed' });
  triton.addVm({ ...common, uuid: VMS.withoutImage, image_uuid: undefined });
  // What the node brings is nothing to rows.
  triton.node.after = () => Promise.reject(new Error('no space on the pool'));
  const keys = await fromVmKeys(triton, 0, join(await temporaryFolder(t), 'scripts'));
  return { keys, template };
}
