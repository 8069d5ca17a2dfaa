/**
 * A process dies while it has an image made from a machine. Whoever goes on, the node is told once, and the image comes; also
 * when the answer of CNAPI was lost with the process.
 */
import { type Test, test } from 'tap';
import type { FaultPoint } from '#src/service/fault-points.ts';
import { ALICE } from '../helpers/accounts.ts';
import { freePort } from '../helpers/free-port.ts';
import { type Spawned, spawnImgapi } from '../helpers/imgapi.ts';
import { waitFor } from '../helpers/wait.ts';
import { endOf, holdNode, type Site, startSite } from '../src/machines/fixture.ts';

const FIELDS = { name: 'mine', version: '1.0.0' } as const;

interface Restartable extends Site<Spawned> {
  /** Another process on the same data, at the same place or another. */
  again(port?: number): Promise<Spawned>;
}

async function start(t: Test, fault?: string): Promise<Restartable> {
  const again: { start?: (port?: number) => Promise<Spawned> } = {};
  const site = await startSite(t, {}, async (keys, port) => {
    const server = await spawnImgapi(t, keys, { port, ...(fault !== undefined && { fault }) });
    const { dataDir } = server;
    again.start = (other = port) => spawnImgapi(t, keys, { dataDir, port: other });
    return server;
  });
  const { start: restart } = again;
  if (!restart) throw new Error('it has not been started');
  return { ...site, again: restart };
}

/** Orders an image from a server that may die meanwhile. Returns its UUID, which the operator chose. */
async function order({ operator, vm }: Site): Promise<string> {
  const uuid = crypto.randomUUID();
  await operator.createImageFromVm({ ...FIELDS, uuid, owner: ALICE }, { vmUuid: vm.uuid }).catch(() => undefined);
  return uuid;
}

const POINTS: readonly FaultPoint[] = ['from-vm:recorded', 'from-vm:asking', 'from-vm:asked', 'from-vm:task-recorded'];

for (const point of POINTS) {
  test(`killed at ${point}`, async (t) => {
    const site = await start(t, `${point}=kill`);
    // The node is still at it when the process has died.
    const { go } = holdNode(site.triton, 'taken');
    const uuid = await order(site);
    await site.server.gone;
    const next = await site.again();
    const client = next.client();
    t.match(await client.getImage(uuid), { state: 'creating' });
    const [job] = await client.listImageJobs(uuid);
    go();
    const isLost = point === 'from-vm:asking';
    if (isLost) {
      // Nobody knows whether CNAPI has heard; it is not told again.
      await waitFor('the next process to have the job', async () => {
        const [found] = await client.listImageJobs(uuid);
        return found?.execution === 'running';
      });
      t.equal(site.triton.node.orders.length, 0);
      return;
    }
    t.match(await endOf(client, job?.uuid ?? ''), { execution: 'succeeded' });
    t.match(await client.getImage(uuid), { state: 'active', owner: ALICE });
    t.equal(site.triton.node.orders.length, 1, 'the node was told once');
  });
}

test('stopped in order, while another process is there', async (t) => {
  const site = await start(t);
  const { reached, go } = holdNode(site.triton, 'imported');
  const uuid = await order(site);
  await reached;
  const other = await site.again(await freePort());
  const client = other.client();
  const polls = () => site.triton.cnapi.asked.filter(({ path }) => path.startsWith('/tasks/')).length;
  await waitFor('the task to be looked at', () => polls() > 0);
  t.equal(await site.server.stop(), 0);
  const before = polls();
  await waitFor('the other process to look at it', () => polls() > before);
  // The node finds the service at its place again.
  const third = await site.again();
  go();
  const [job] = await client.listImageJobs(uuid);
  t.match(await endOf(client, job?.uuid ?? ''), { execution: 'succeeded' });
  t.match(await third.client().getImage(uuid), { state: 'active' });
  t.equal(site.triton.node.orders.length, 1);
});

test('of two processes one has the job; when it is killed, the other', async (t) => {
  const site = await start(t);
  const other = await site.again(await freePort());
  const { reached, go } = holdNode(site.triton, 'taken');
  const uuid = await order(site);
  await reached;
  await site.server.kill();
  const third = await site.again();
  go();
  const client = other.client();
  const [job] = await client.listImageJobs(uuid);
  t.match(await endOf(client, job?.uuid ?? ''), { execution: 'succeeded' });
  t.match(await third.client().getImage(uuid), { state: 'active' });
  t.equal(site.triton.node.orders.length, 1);
});

test('stopped while CNAPI takes its time with the order', async (t) => {
  const site = await start(t);
  const { go } = holdNode(site.triton, 'taken');
  const { promise: after, resolve } = Promise.withResolvers<void>();
  site.triton.cnapi.fault = ({ method }) => (method === 'POST' ? { after } : undefined);
  const uuid = await order(site);
  await waitFor('CNAPI to be told', () => site.triton.cnapi.asked.some(({ method }) => method === 'POST'));
  const stopped = site.server.stop();
  const isListening = () => site.operator.ping().then(Boolean, () => false);
  await waitFor('it to stop listening', async () => !(await isListening()));
  resolve();
  t.equal(await stopped, 0);
  const client = (await site.again()).client();
  const [job] = await client.listImageJobs(uuid);
  t.match(job, { params: { server_uuid: site.triton.server } });
  const polls = () => site.triton.cnapi.asked.filter(({ path }) => path.startsWith('/tasks/')).length;
  await waitFor('the task to be looked at', () => polls() > 0);
  go();
  t.match(await endOf(client, job?.uuid ?? ''), { execution: 'succeeded' });
  t.equal(site.triton.node.orders.length, 1);
});
