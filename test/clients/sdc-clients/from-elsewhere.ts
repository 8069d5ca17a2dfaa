/** How the client has images fetched from other servers, or made by other services. */
import { randomUUID } from 'node:crypto';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { type Given, type MethodTests, textOf } from './given.ts';

/** An image of alice that is elsewhere. */
async function foreign({ elsewhere }: Given): Promise<string> {
  return (await makeImage(elsewhere.client(), { public: true }, { owner: ALICE })).image.uuid;
}

const isDatacenter = ({ served }: Given): boolean => served.mode === 'dc';
const noDatacenters = (given: Given) => (isDatacenter(given) ? undefined : { status: 422, code: 'ValidationFailed' });

export const FROM_ELSEWHERE: MethodTests = {
  adminImportImage: {
    args: (given) => [
      { ...given.manifest(), v: 2, uuid: randomUUID(), published_at: '2020-01-02T03:04:05Z' },
      { skipOwnerCheck: true },
    ],
    check: (t, answer, args) => {
      t.match(answer, { ...(args[0] as object), owner: String, state: 'unactivated' });
    },
  },

  adminImportRemoteImage: {
    args: async (given) => [await foreign(given), given.elsewhere.url, { skipOwnerCheck: true }],
    check: (t, answer, args) => t.match(answer, { image_uuid: textOf(args), job_uuid: String }),
  },

  adminImportRemoteImageAndWait: {
    args: async (given) => [await foreign(given), given.elsewhere.url, { skipOwnerCheck: true }],
    check: (t, answer, args) => t.match(answer, { uuid: textOf(args), state: 'active' }),
  },

  importImageFromDatacenter: {
    args: async (given) => [await foreign(given), ALICE, { datacenter: 'elsewhere' }],
    refusal: noDatacenters,
    check: (t, answer, args) => t.match(answer, { image_uuid: textOf(args), job_uuid: String }),
  },

  importImageFromDatacenterAndWait: {
    args: async (given) => [await foreign(given), ALICE, { datacenter: 'elsewhere' }],
    refusal: noDatacenters,
    check: (t, answer, args) => t.match(answer, { uuid: textOf(args), state: 'active', owner: ALICE }),
  },

  createImageFromVm: {
    args: () => [MANIFEST, { vm_uuid: randomUUID() }, ALICE],
    refusal: () => ({ status: 501, code: 'NotAvailable' }),
    check: (t) => t.fail('there are no machines'),
  },

  createImageFromVmAndWait: {
    args: () => [MANIFEST, { vm_uuid: randomUUID(), incremental: true }, ALICE],
    refusal: () => ({ status: 501, code: 'NotAvailable' }),
    check: (t) => t.fail('there are no machines'),
  },

  adminImportDockerImage: {
    args: () => [{ repo: 'busybox', tag: 'latest' }],
    refusal: () => ({ status: 501, code: 'NotAvailable' }),
    check: (t) => t.fail('nothing is fetched from registries'),
  },

  adminPushDockerImage: {
    args: async (given) => [{ image: { image_uuid: (await given.active()).uuid }, repoAndTag: 'me/mine:latest' }],
    refusal: () => ({ status: 422, code: 'ValidationFailed' }),
    check: (t) => t.fail('it is no Docker image'),
  },
};
