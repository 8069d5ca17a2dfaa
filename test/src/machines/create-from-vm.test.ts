/** Images from machines: VMAPI and CNAPI are doubles, the node brings the image with Triton's own client. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { expireJobs } from '#lib/documents/expire-jobs.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { IMAGE_JOBS } from '#src/machines/model.ts';
import { sdcImgapi } from '../../clients/sdc-clients/client.ts';
import { ADMIN, ALICE, BOB } from '../../helpers/accounts.ts';
import { waitFor } from '../../helpers/wait.ts';
import { endOf, holdNode, SCRIPT, siteInProcess } from './fixture.ts';

const NOT_FOUND = { statusCode: 404, code: 'ResourceNotFound' } as const;
const FIELDS = { name: 'mine', version: '1.0.0' } as const;

test('an image comes from a machine of an account', async (t) => {
  const { triton, alice, operator, vm, template, server } = await siteInProcess(t);
  const { reached, go } = holdNode(triton, 'taken');
  triton.node.image = { type: 'zone-dataset', os: 'smartos', origin: template };
  const fields = { ...FIELDS, description: 'of a machine', acl: [BOB], tags: { a: 'b' } };
  const started = await alice.createImageFromVm(fields, { vmUuid: vm.uuid, incremental: true, maxOriginDepth: 5 });
  t.equal(started.workflow_api, server.url);
  const { image_uuid: uuid, job_uuid: job } = started;
  t.match(await alice.getImage(uuid), { ...fields, state: 'creating', owner: ALICE, public: false });
  t.match(await alice.getJob(job), { name: 'create-from-vm', image_uuid: uuid, chain_results: [] });

  await reached;
  const [order] = triton.node.orders;
  t.strictSame(order, {
    uuid: vm.uuid,
    compression: 'gzip',
    imgapi_url: server.url,
    incremental: true,
    max_origin_depth: 5,
    prepare_image_script: SCRIPT,
    manifest: { ...fields, owner: ALICE, uuid },
  });
  t.strictSame(
    triton.vmapi.asked.map(({ query }) => query.get('owner_uuid')),
    [ALICE, ALICE],
    'only her machines are looked at',
  );
  const ids = [...triton.vmapi.asked, ...triton.cnapi.asked].map(({ headers }) => headers['x-request-id']);
  t.equal(new Set(ids).size, 1, 'the other services hear whose request it is');

  await waitFor('the task to be known', async () => {
    const found = (await server.imgapi.service.store.get(IMAGE_JOBS, job))?.value;
    return found?.task !== undefined && !('order' in found);
  });
  t.match(await alice.getJob(job), { execution: 'running', params: { vm_uuid: vm.uuid, server_uuid: triton.server } });
  go();
  const ended = await endOf(alice, job);
  t.match(ended, { execution: 'succeeded', finished_at: String });
  t.strictSame(
    ended.chain_results.map(({ name, result, error }) => [name, result, error]),
    [
      ['vmapi.get_vm_server', 'OK', ''],
      ['cnapi.queue_create_from_vm_task', 'OK', ''],
      ['cnapi.poll_task', 'OK', ''],
    ],
  );
  const image = await alice.getImage(uuid);
  t.match(image, { ...fields, state: 'active', type: 'zone-dataset', os: 'smartos', origin: template });
  t.equal(image.files[0]?.size, triton.node.bytes.length);
  t.notOk('expires_at' in ((await server.imgapi.service.store.get(IMAGES, uuid))?.value ?? {}));

  t.strictSame(
    (await alice.listImageJobs(uuid)).map((one) => one.uuid),
    [job],
  );
  t.strictSame((await alice.listImageJobs(uuid, { task: 'create-from-vm', execution: 'succeeded' })).length, 1);
  t.strictSame(await alice.listImageJobs(uuid, { task: 'import-remote-image' }), []);
  t.strictSame((await operator.listImageJobs(uuid)).length, 1);
  const bob = server.client({ account: BOB });
  t.strictSame(await bob.listImageJobs(uuid), [], 'a share shows no jobs');
  await t.rejects(bob.getJob(job), NOT_FOUND);
});

test("Triton's own client makes one and waits for it", async (t) => {
  const { vm, server, operator } = await siteInProcess(t);
  const call = sdcImgapi(t, server.url);
  const options = { vm_uuid: vm.uuid, incremental: false };
  const made = await call('createImageFromVmAndWait', { ...FIELDS, owner: ALICE }, options);
  t.match(made, { state: 'active', owner: ALICE, name: 'mine' });
  t.match(await operator.getImage(made['uuid'] as string), { state: 'active' });
});

test('a machine with disks, and one of brand lx', async (t) => {
  const { triton, template, operator } = await siteInProcess(t);
  const fields = { ...FIELDS, owner: ALICE };
  const kvm = triton.addVm({
    owner_uuid: ALICE,
    brand: 'kvm',
    image_uuid: randomUUID(),
    disks: [{ size: 5 }, { image_uuid: template }, { image_uuid: randomUUID() }],
  });
  t.match(await endOf(operator, (await operator.createImageFromVm(fields, { vmUuid: kvm.uuid })).job_uuid), {
    execution: 'succeeded',
  });
  const lx = triton.addVm({ owner_uuid: ALICE, brand: 'lx', image_uuid: template, kernel_version: '4.3.0' });
  const { image_uuid: uuid, job_uuid: job } = await operator.createImageFromVm(
    { ...fields, tags: { a: 1 } },
    { vmUuid: lx.uuid },
  );
  await endOf(operator, job);
  t.strictSame((await operator.getImage(uuid)).tags, { a: 1, kernel_version: '4.3.0' });
});

test('what the node says of its failure is on the image and in the job', async (t) => {
  const { triton, alice, vm, server } = await siteInProcess(t);
  const fail = async (error: Error & { body?: object }, at = 'asked') => {
    triton.node.after = async (step) => {
      if (step === at) throw error;
    };
    const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
    const ended = await endOf(alice, job);
    t.match(ended, { execution: 'failed' });
    const image = await alice.getImage(uuid);
    t.equal(image.state, 'failed');
    t.match(ended.chain_results.at(-1), { result: '', error: image.error }, 'clients go by the last one');
    return { image, uuid };
  };
  const body = { message: 'prepare-image script error while preparing VM', code: 'PrepareImageError', exitStatus: 1 };
  const structured = await fail(Object.assign(new Error('x'), { body }));
  t.strictSame(structured.image.error, { message: body.message, code: body.code });

  const plain = await fail(new Error('no space on the pool'));
  t.strictSame(plain.image.error, { message: 'no space on the pool; the task failed', code: 'TaskFailed' });

  const long = await fail(new Error('x'.repeat(100_000)));
  t.ok((long.image.error?.message?.length ?? 0) <= 20_000, 'as much as is kept of it');

  const late = await fail(new Error('the connection broke'), 'added');
  t.match(
    late.image,
    { type: 'zone-dataset', files: [{ size: triton.node.bytes.length }] },
    'also what it had brought',
  );
  await alice.deleteImage(late.uuid);
  await t.rejects(alice.getImage(late.uuid), NOT_FOUND);
  t.equal(await expireJobs(server.imgapi.service, IMAGE_JOBS, 3600), 0, 'jobs are kept for a while');
});

test('an image that is deleted meanwhile does not come back', async (t) => {
  const { triton, alice, operator, vm } = await siteInProcess(t);
  const { reached, go } = holdNode(triton, 'taken');
  const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
  await reached;
  await alice.deleteImage(uuid);
  const ended = await endOf(alice, job);
  t.match(ended, { execution: 'failed', chain_results: [{}, {}, { error: { code: 'Canceled' } }] });
  const manifest = { ...FIELDS, uuid, owner: ALICE, type: 'zone-dataset', os: 'smartos', v: 2 };
  await t.rejects(operator.adminImportImage(manifest), {
    statusCode: 409,
    code: 'Conflict',
    message: /was deleted while/,
  });
  await reached;
  go();
  const [task] = [...triton.cnapi.tasks.values()];
  await waitFor('the node to fail', () => task?.status === 'failure');
  t.match(task?.history, [{ name: 'error', event: { error: /was deleted while it was being made/ } }]);
  await waitFor('the job to be over', async () => {
    const imported = await operator.adminImportImage(manifest).catch(() => undefined);
    return imported?.state === 'unactivated';
  });
  t.match(await alice.getJob(job), { execution: 'failed' });
});

test('a deletion after the import ends the job too', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t);
  let uuid = '';
  triton.node.after = async (step) => {
    if (step === 'imported') await alice.deleteImage(uuid);
  };
  const started = await alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
  uuid = started.image_uuid;
  t.match((await endOf(alice, started.job_uuid)).chain_results.at(-1), { error: { code: 'Canceled' } });
  await t.rejects(alice.getImage(uuid), NOT_FOUND);
});

test('what does not come in time has failed, and comes no more', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t, { createFromVm: { giveUpAfterSeconds: 2 } });
  const { reached, go } = holdNode(triton, 'taken');
  const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
  t.match((await endOf(alice, job)).chain_results.at(-1), { error: { code: 'Timeout' } });
  t.match(await alice.getImage(uuid), { state: 'failed', error: { code: 'Timeout' } });
  await reached;
  go();
  const [task] = [...triton.cnapi.tasks.values()];
  await waitFor('the node to fail', () => task?.status === 'failure');
  t.match(await alice.getImage(uuid), { state: 'failed', error: { code: 'Timeout' } });
});

test('operators name the owner and may name the UUID; jobs go when they are old', async (t) => {
  const { operator, alice, vm, server } = await siteInProcess(t);
  const uuid = randomUUID();
  const fields = { ...FIELDS, uuid, owner: ADMIN };
  const started = await operator.createImageFromVm(fields, { vmUuid: vm.uuid });
  t.equal(started.image_uuid, uuid);
  await t.rejects(operator.createImageFromVm(fields, { vmUuid: vm.uuid }), {
    statusCode: 409,
    code: 'ImageUuidAlreadyExists',
  });
  await endOf(operator, started.job_uuid);
  await t.rejects(alice.getJob(started.job_uuid), NOT_FOUND, "an operator's job is not Alice's");
  const { service } = server.imgapi;
  await waitFor('the old job to be removed', async () => (await expireJobs(service, IMAGE_JOBS, 0)) > 0);
  await t.rejects(operator.getJob(started.job_uuid), NOT_FOUND);
  t.match(await operator.getImage(uuid), { state: 'active' });
});

test('many at once: each node is told once, and all come', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t);
  const versions = Array.from({ length: 30 }, (_, i) => `${i}`);
  const started = await Promise.all(
    versions.map((version) => alice.createImageFromVm({ name: 'x', version }, { vmUuid: vm.uuid })),
  );
  for (const { job_uuid: job } of started) t.match(await endOf(alice, job), { execution: 'succeeded' });
  t.equal(triton.node.orders.length, versions.length);
  t.equal(new Set(triton.node.orders.map(({ manifest }) => manifest.uuid)).size, versions.length);
});
