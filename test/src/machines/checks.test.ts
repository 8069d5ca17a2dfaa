/** What create-from-vm is refused with, in the order that clients know; and what VMAPI and CNAPI can do to it. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { IMAGES } from '#lib/manifest/record.ts';
import { IMAGE_JOBS } from '#src/machines/model.ts';
import type { Fault } from '../../doubles/triton/json-server.ts';
import { ADMIN, ALICE, BOB } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { type Answer, asker } from '../imgapi/fixtures/ask.ts';
import { endOf, holdNode, siteInProcess } from './fixture.ts';

type Expected = readonly [status: number, code: string, errors?: string];

const FIELDS = { name: 'mine', version: '1.0.0', owner: ALICE } as const;
const SOME = randomUUID();
const NOT_THIS = { statusCode: 422, code: 'InvalidParameter' } as const;
const BAD_MANIFEST = { ...FIELDS, nonsense: 1 };

interface Row {
  readonly query?: string;
  readonly json?: unknown;
  readonly answer: Expected;
}

/** Each has what is wrong in the next ones too, as far as one request can. */
const FROM_THE_REQUEST: readonly Row[] = [
  {
    query: 'incremental=x&max_origin_depth=1&account=x',
    answer: [422, 'ValidationFailed', 'vm_uuid/MissingParameter'],
  },
  {
    query: 'vm_uuid=X&incremental=x&max_origin_depth=1&account=x',
    answer: [422, 'InvalidParameter', 'vm_uuid/Invalid'],
  },
  {
    query: `vm_uuid=${SOME}&incremental=x&max_origin_depth=1&account=x`,
    answer: [422, 'InvalidParameter', 'incremental/Invalid'],
  },
  {
    query: `vm_uuid=${SOME}&max_origin_depth=x&account=x`,
    answer: [422, 'InvalidParameter', 'max_origin_depth/Invalid'],
  },
  {
    query: `vm_uuid=${SOME}&max_origin_depth=1&account=x`,
    answer: [422, 'InvalidParameter', 'max_origin_depth/Invalid'],
  },
  { query: `vm_uuid=${SOME}&account=x`, json: BAD_MANIFEST, answer: [422, 'InvalidParameter', 'account/Invalid'] },
  { query: `vm_uuid=${SOME}`, answer: [422, 'ValidationFailed', 'body/MissingParameter'] },
  { query: `vm_uuid=${SOME}`, json: ['x'], answer: [422, 'ValidationFailed', 'body/MissingParameter'] },
  {
    query: `vm_uuid=${SOME}&account=${BOB}`,
    json: BAD_MANIFEST,
    answer: [422, 'InvalidParameter', 'owner/Invalid'],
  },
  { query: `vm_uuid=${SOME}`, json: { name: 'x' }, answer: [422, 'ValidationFailed', 'owner/MissingParameter'] },
];

test('what is wrong with a request comes before what is not available', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const post = async ({ query = '', json }: Omit<Row, 'answer'>) =>
    shown(await ask(`/images?action=create-from-vm&${query}`, { method: 'POST', ...(json !== undefined && { json }) }));
  for (const row of FROM_THE_REQUEST) t.strictSame(await post(row), row.answer, `${row.query}`);
  t.strictSame(await post({ query: `vm_uuid=${SOME}`, json: BAD_MANIFEST }), [501, 'NotAvailable']);
});

test('then the machine, its node, the image that it was made of, the owner, the manifest', async (t) => {
  const { triton, server, template, operator } = await siteInProcess(t);
  const { service } = server.imgapi;
  const ask = asker(t, server.url);
  const post = async (vm: string, json: unknown = { ...BAD_MANIFEST, owner: SOME }, query = '') => {
    const path = `/images?action=create-from-vm&vm_uuid=${vm}${query}`;
    return shown(await ask(path, { method: 'POST', json }));
  };
  const vm = (fields: object = {}) => triton.addVm({ owner_uuid: ALICE, image_uuid: template, ...fields }).uuid;
  const VM: Expected = [422, 'InvalidParameter', 'vm_uuid/Invalid'];
  t.strictSame(await post(SOME), VM, 'there is no such machine');
  t.strictSame(await post(vm(), { name: 'x' }, `&account=${BOB}`), VM, "or it is somebody else's");
  t.strictSame(await post(vm({ state: 'destroyed' })), VM, 'or is no more');
  t.strictSame(await post(vm({ server_uuid: undefined })), VM, 'or is nowhere yet');
  t.strictSame(await post(vm({ server_uuid: randomUUID() })), VM, 'or is where CNAPI knows nothing of');

  const old = [
    [undefined, '20260101T000000Z'],
    ['6.5.9', '20260101T000000Z'],
    ['7.0', '20130917T001309Z'],
    ['7.0', undefined],
  ] as const;
  for (const [release, stamp] of old) {
    const node = randomUUID();
    triton.addServer(node, release, stamp);
    t.strictSame(await post(vm({ server_uuid: node, docker: true })), [422, 'InsufficientServerVersion']);
  }
  for (const [release, stamp] of [
    ['7.0', '20130917T001310Z'],
    ['10.0', '20120101T000000Z'],
    ['7.0.1', undefined],
  ] as const) {
    const node = randomUUID();
    triton.addServer(node, release, stamp);
    t.strictSame(
      await post(vm({ server_uuid: node, docker: true })),
      VM,
      'no Docker container, on a node that will do',
    );
  }
  t.strictSame(await post(vm({ image_uuid: undefined })), VM, 'of what it was made is not known');
  t.strictSame(await post(vm({ brand: 'kvm', disks: [{}, null] })), VM);
  t.strictSame(await post(vm({ image_uuid: randomUUID() })), [404, 'ResourceNotFound']);

  const zvol = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 1 };
  const windows = async (brand: string, published_at: string) => {
    const fields = { ...zvol, os: 'windows', requirements: { brand } };
    const { image } = await makeImage(operator, fields, { owner: ADMIN });
    const stored = await service.store.get(IMAGES, image.uuid);
    if (!stored) throw new Error('it is gone');
    const value = { ...stored.value, published_at, rev: 99 };
    await service.store.batch([{ op: 'put', bucket: IMAGES, key: image.uuid, value }]);
    return vm({ brand, disks: [{ image_uuid: image.uuid }] });
  };
  const scripts = service.config.createFromVm.scripts;
  await writeFile(join(scripts, 'windows-prepare-image'), 'x');
  t.strictSame(await post(await windows('kvm', '2018-10-14T23:59:59.000Z')), [501, 'NotAvailable']);
  const newer = await windows('kvm', '2018-10-15T00:00:00.000Z');
  t.strictSame(await post(newer), [422, 'OwnerDoesNotExist']);
  t.strictSame(await post(await windows('bhyve', '2015-01-01T00:00:00.000Z')), [422, 'OwnerDoesNotExist']);
  await rm(join(scripts, 'windows-prepare-image'));
  t.strictSame(await post(newer), [501, 'NotAvailable'], 'no script for the OS');

  const mine = vm();
  const fields = (more: object) => ({ ...FIELDS, ...more });
  t.strictSame(await post(mine), [422, 'OwnerDoesNotExist']);
  t.strictSame(await post(mine, BAD_MANIFEST), [422, 'InvalidParameter', 'nonsense/Invalid']);
  t.strictSame(await post(mine, fields({ uuid: 'X' })), [422, 'InvalidParameter', 'uuid/Invalid']);
  const account = `&account=${ALICE}`;
  t.strictSame(await post(mine, fields({ uuid: SOME }), account), [422, 'InvalidParameter', 'uuid/Invalid']);
  t.strictSame(await post(mine, fields({ published_at: 'x' })), [422, 'InvalidParameter', 'published_at/Invalid']);
  t.strictSame(await post(mine, fields({ name: '' })), [422, 'ValidationFailed', 'name/Invalid']);
  t.strictSame(await post(mine, fields({ acl: ['bob'] })), [422, 'ValidationFailed', 'acl/Invalid']);
  t.strictSame(await post(mine, fields({ origin: randomUUID() })), [422, 'OriginDoesNotExist']);
  t.strictSame(await post(mine, { owner: ALICE }), [
    422,
    'ValidationFailed',
    'name/MissingParameter,version/MissingParameter',
  ]);
  t.strictSame(await post(mine, fields({ state: 'active', files: [] })), [200, '']);

  const jobs = await service.store.find(IMAGE_JOBS, {});
  t.equal(jobs.length, 1, 'what was refused left nothing');
});

test('while VMAPI or CNAPI cannot answer, nobody is told that it is their mistake', async (t) => {
  const { triton, alice, operator, vm, server } = await siteInProcess(t);
  const faults: readonly Fault[] = [
    { status: 500, json: { code: 'InternalError', message: 'moray is down' } },
    { status: 503, json: { code: 'ServiceUnavailable', message: 'busy' } },
    { status: 302, json: {} },
    { text: 'not JSON' },
    { text: '{' },
    { text: `{"x":"${'x'.repeat(9 * 1024 * 1024)}"}` },
    { text: '['.repeat(100_000) },
    'reset',
  ];
  for (const api of [triton.vmapi, triton.cnapi]) {
    for (const fault of faults) {
      api.fault = () => fault;
      await t.rejects(alice.createImageFromVm({ name: 'x', version: '1' }, { vmUuid: vm.uuid }), {
        statusCode: 503,
        code: 'ServiceUnavailable',
        message: /^(VM|CN)API cannot be asked; try again later$/,
      });
      await t.rejects(operator.createImageFromVm(FIELDS, { vmUuid: vm.uuid }), {
        statusCode: 503,
        message: /^(VM|CN)API cannot be asked: ./,
      });
    }
    await api.stop();
    await t.rejects(operator.createImageFromVm(FIELDS, { vmUuid: vm.uuid }), {
      statusCode: 503,
      code: 'ServiceUnavailable',
    });
    await api.start();
    api.fault = () => undefined;
  }
  for (const text of ['null', '[]', '7', '{}', '{"uuid":7}', `{"uuid":"${vm.uuid}","brand":{},"disks":7}`]) {
    triton.vmapi.fault = () => ({ text });
    await t.rejects(alice.createImageFromVm({ name: 'x', version: '1' }, { vmUuid: vm.uuid }), NOT_THIS);
  }
  triton.vmapi.fault = () => ({ text: JSON.stringify({ ...vm, owner_uuid: BOB }) });
  await t.rejects(alice.createImageFromVm({ name: 'x', version: '1' }, { vmUuid: vm.uuid }), NOT_THIS);
  t.strictSame(await server.imgapi.service.store.find(IMAGE_JOBS, {}), []);
});

test('an answer that never comes is not waited for when the client is gone', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t);
  triton.vmapi.fault = () => 'hang';
  const leaving = new AbortController();
  const asked = alice.createImageFromVm({ name: 'x', version: '1' }, { vmUuid: vm.uuid }, { signal: leaving.signal });
  await waitFor('VMAPI to be asked', () => triton.vmapi.asked.length > 0);
  leaving.abort(new Error('gone'));
  await t.rejects(asked, { message: 'gone' });
});

test('while a job is under way, what CNAPI answers does not harm the image', async (t) => {
  const { triton, alice, vm, server } = await siteInProcess(t);
  const faults: Fault[] = [
    { status: 500, json: {} },
    { text: 'not JSON' },
    { text: 'null' },
    { text: '{"status":"neither"}' },
    { text: `{"x":"${'x'.repeat(9 * 1024 * 1024)}"}` },
    { status: 404, json: { code: 'ResourceNotFound' } },
    'reset',
  ];
  const { reached, go } = holdNode(triton, 'taken');
  triton.cnapi.fault = ({ path }) => (path.startsWith('/tasks/') ? faults.shift() : undefined);
  const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(
    { name: 'x', version: '1' },
    { vmUuid: vm.uuid },
  );
  await reached;
  await waitFor('all of it', () => faults.length === 0);
  go();
  t.match(await endOf(alice, job), { execution: 'succeeded' });
  t.match(await alice.getImage(uuid), { state: 'active' });

  triton.cnapi.fault = ({ path }) => (path.startsWith('/tasks/') ? 'hang' : undefined);
  const held = holdNode(triton, 'taken');
  const second = await alice.createImageFromVm({ name: 'x', version: '2' }, { vmUuid: vm.uuid });
  await waitFor('the task to be asked for', () => triton.cnapi.asked.at(-1)?.path.startsWith('/tasks/'));
  held.go();
  await waitFor('the image to come', async () => (await alice.getImage(second.image_uuid)).state === 'active');
  const begin = performance.now();
  await server.imgapi.close();
  t.ok(performance.now() - begin < 20_000, 'a stop does not wait for it either');
});

test('hostile histories of failed tasks become a message of bounded length', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t);
  const histories: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /does not say why/],
    [[], /does not say why/],
    [{ length: 7 }, /does not say why/],
    [[null, 7, { name: 'error' }, { name: 'error', event: { error: 7 } }], /does not say why/],
    [[{ name: 'error', event: { error: { message: 'inner' } } }], /^inner$/],
    [[{ name: 'error', event: { error: 'text', details: { error: 'more' } } }], /^text, more$/],
    [[{ name: 'error', event: { error: '{"message":7}' } }], /^\{"message":7\}$/],
    [[{ name: 'error', event: { error: '{' } }], /^\{$/],
    [
      [
        { name: 'error', event: { error: 'text' } },
        {
          name: 'finish',
          event: { log: [{ level: 'error', message: 'one' }, { level: 'info', message: 'no' }, null] },
        },
      ],
      /^text; one$/,
    ],
    [
      Array.from({ length: 5000 }, () => ({ name: 'finish', event: { log: [{ level: 'error', message: 'y' }] } })),
      /^.{1,20000}$/,
    ],
  ];
  holdNode(triton, 'asked');
  for (const [history, message] of histories) {
    triton.cnapi.fault = ({ path }) =>
      path.startsWith('/tasks/') ? { text: JSON.stringify({ status: 'failure', history }) } : undefined;
    const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(
      { name: 'x', version: '1' },
      { vmUuid: vm.uuid },
    );
    await endOf(alice, job);
    t.match((await alice.getImage(uuid)).error?.message, message);
  }
});

test('an order whose answer is lost is not given again, and one that was not heard is', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t);
  const make = async (faults: (Fault | undefined)[]) => {
    triton.node.orders.length = 0;
    triton.cnapi.fault = ({ method }) => (method === 'POST' ? faults.shift() : undefined);
    const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(
      { name: 'x', version: '1' },
      { vmUuid: vm.uuid },
    );
    const { execution } = await endOf(alice, job);
    return { execution, orders: triton.node.orders.length, image: await alice.getImage(uuid) };
  };
  t.match(await make(['lost']), { execution: 'succeeded', orders: 1, image: { state: 'active' } });
  const busy = { status: 503, json: { code: 'ServiceUnavailable', message: 'the node is away' } };
  t.match(await make([busy, busy]), { execution: 'succeeded', orders: 1 });
  t.match(await make([{ status: 400, json: { code: 'ValidationError', message: 'no' } }]), {
    execution: 'failed',
    orders: 0,
    image: { state: 'failed', error: { code: 'ValidationError', message: 'the compute node could not be told: no' } },
  });
  const { image } = await make([{ status: 422, json: {} }]);
  t.equal(image.error?.code, 'Http422');
  t.match(
    image.error?.message,
    /^the compute node could not be told: \(hidden\) answered 422/,
    'nothing of where CNAPI is',
  );
});

test('CNAPI names no other path than that of a task', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t, { createFromVm: { giveUpAfterSeconds: 2 } });
  for (const id of ['..', '.', '../vms', 'a/b', '', 'x'.repeat(101)]) {
    triton.cnapi.asked.length = 0;
    triton.cnapi.fault = ({ method }) => (method === 'POST' ? { text: JSON.stringify({ id }) } : undefined);
    const { job_uuid: job } = await alice.createImageFromVm({ name: 'x', version: '1' }, { vmUuid: vm.uuid });
    t.match((await endOf(alice, job)).chain_results.at(-1), { error: { code: 'Timeout' } }, id);
    t.strictSame(
      triton.cnapi.asked.filter(({ path }) => !path.startsWith('/servers/')),
      [],
      id,
    );
  }
});

test('a job waits while VMAPI and CNAPI are down, and ends if the machine went away', async (t) => {
  const { triton, alice, vm } = await siteInProcess(t);
  let isDown = false;
  triton.vmapi.fault = () => (isDown ? { status: 503, json: {} } : undefined);
  triton.cnapi.fault = ({ method, path }) => {
    if (method === 'GET' && path.startsWith('/servers/')) isDown = true;
    return undefined;
  };
  const first = await alice.createImageFromVm({ name: 'x', version: '1' }, { vmUuid: vm.uuid });
  const before = triton.vmapi.asked.length;
  await waitFor('VMAPI to be asked in vain', () => triton.vmapi.asked.length > before + 1);
  t.match(await alice.getJob(first.job_uuid), { execution: 'running' });
  triton.cnapi.fault = () => undefined;
  isDown = false;
  t.match(await endOf(alice, first.job_uuid), { execution: 'succeeded' });

  triton.cnapi.fault = ({ method }) => {
    if (method === 'GET') triton.vmapi.vms.delete(vm.uuid);
    return undefined;
  };
  const second = await alice.createImageFromVm({ name: 'x', version: '2' }, { vmUuid: vm.uuid });
  t.match((await endOf(alice, second.job_uuid)).chain_results.at(-1), { error: { code: 'VmNotFound' } });
  t.match(await alice.getImage(second.image_uuid), { state: 'failed', error: { code: 'VmNotFound' } });
});

function shown({ status, json }: Answer): Expected {
  const { code = '', errors } = json as { code?: string; errors?: readonly { field: string; code: string }[] };
  const fields = errors?.map((error) => `${error.field}/${error.code}`).join();
  return fields === undefined ? [status, code] : [status, code, fields];
}
