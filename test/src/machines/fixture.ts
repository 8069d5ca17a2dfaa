/** An IMGAPI beside the doubles of VMAPI, CNAPI and a compute node, with an image that machines were made of. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Job } from '#lib/api/schemas/job.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import type { Step } from '../../doubles/triton/compute-node.ts';
import { startTriton, type Triton } from '../../doubles/triton/triton.ts';
import type { Vm } from '../../doubles/triton/vmapi.ts';
import { ADMIN, ALICE } from '../../helpers/accounts.ts';
import { freePort } from '../../helpers/free-port.ts';
import { makeImage } from '../../helpers/images.ts';
import { type ConfigKeys, startInProcess, type TestServer, temporaryFolder } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

export const SCRIPT = '#!/bin/sh\nmdata-put prepare-image:state running\n';

export interface Site<S extends TestServer = TestServer> {
  readonly triton: Triton;
  readonly server: S;
  readonly operator: ImgapiClient;
  readonly alice: ImgapiClient;
  /** An image of the admin's, of which machines are made. */
  readonly template: string;
  /** A machine of Alice's, made of it. */
  readonly vm: Vm;
}

/** Keys for an IMGAPI that the node of the double reaches at this port. */
export async function fromVmKeys(triton: Triton, port: number, scripts: string): Promise<ConfigKeys> {
  await mkdir(scripts, { recursive: true });
  await writeFile(join(scripts, 'smartos-prepare-image'), SCRIPT);
  return { ...triton.keys, port, createFromVm: { imgapiUrl: `http://127.0.0.1:${port}`, scripts } };
}

/** @param start how the IMGAPI is started */
export async function startSite<S extends TestServer>(
  t: Test,
  keys: ConfigKeys,
  start: (keys: ConfigKeys, port: number) => Promise<S>,
): Promise<Site<S>> {
  const triton = await startTriton(t);
  const port = await freePort();
  const own = await fromVmKeys(triton, port, join(await temporaryFolder(t), 'scripts'));
  const section = { ...(own['createFromVm'] as object), ...(keys['createFromVm'] as object | undefined) };
  const server = await start({ ...own, ...keys, createFromVm: section }, port);
  const operator = server.client();
  const { image } = await makeImage(operator, { public: true }, { owner: ADMIN });
  const vm = triton.addVm({ owner_uuid: ALICE, image_uuid: image.uuid });
  return { triton, server, operator, alice: server.client({ account: ALICE }), template: image.uuid, vm };
}

export function siteInProcess(t: Test, keys: ConfigKeys = {}) {
  return startSite(t, keys, (all) => startInProcess(t, all));
}

export function endOf(client: ImgapiClient, uuid: string): Promise<Job> {
  return waitFor(`the end of job ${uuid}`, async () => {
    const job = await client.getJob(uuid);
    return ['queued', 'running'].includes(job.execution) ? undefined : job;
  });
}

/** Holds the node after a step. */
export function holdNode({ node }: Triton, step: Step): { readonly reached: Promise<void>; readonly go: () => void } {
  const reached = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  node.after = async (done) => {
    if (done !== step) return;
    reached.resolve();
    await going.promise;
  };
  return { reached: reached.promise, go: going.resolve };
}
