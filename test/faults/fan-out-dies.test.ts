/** The processes of a fan-out to two datacenters are killed at its stages: that which orders, and one that receives. */
import { type Test, test } from 'tap';
import type { FanOut } from '#lib/api/schemas/fan-out.ts';
import { ALICE } from '../helpers/accounts.ts';
import { link, type Site, startSite } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertSound } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

interface Deaths {
  readonly when: string;
  /** Where each process dies. */
  readonly hub?: string;
  readonly east?: string;
  /** The fan-out is canceled as soon as the hub is back. */
  readonly isCanceled?: true;
}

const DEATHS: readonly Deaths[] = [
  {
    when: 'before the orders are placed, and when one is taken and not answered',
    hub: 'fan-out:asking',
    east: 'copy:order-recorded',
  },
  {
    when: 'when the orders are placed and not noted, and with the bytes',
    hub: 'fan-out:answered',
    east: 'copy:received',
  },
  { when: 'when the orders are placed and not noted, and canceled', hub: 'fan-out:answered', isCanceled: true },
  { when: 'when all are to show it, and when one is told to', hub: 'fan-out:released', east: 'copy:before-commit' },
  { when: 'when one shows it', east: 'copy:committed' },
];

test('A fan-out ends with the image everywhere, or nowhere, whoever dies', async (t) => {
  const acceptOrders = { hub: { bytesPerDay: 2 ** 40 } };
  const [hub, east, west] = await Promise.all([
    startSite(t, 'hub'),
    startSite(t, 'east', { links: { acceptOrders } }),
    startSite(t, 'west', { links: { acceptOrders } }),
  ]);
  const targets = [east, west];
  for (const target of targets) await link(target, hub);
  for (const { when, isCanceled = false, ...faults } of DEATHS) {
    await t.test(when, async (t) => {
      const { image } = await makeImage(hub.alice, {}, { size: 10_000 });
      const dying = [hub, east].flatMap((site) => {
        const fault = site === hub ? faults.hub : faults.east;
        return fault === undefined ? [] : [{ site, fault: `${fault}=kill` }];
      });
      await Promise.all(dying.map(({ site, fault }) => site.restart({ fault })));
      const { uuid } = await ordered(hub, image.uuid);
      for (const { site } of dying) {
        await site.diesByItself();
        await site.start();
      }
      if (isCanceled) await hub.operator.cancelFanOut(uuid);
      const ended = await end(hub, uuid);
      t.match(ended, isCanceled ? { state: 'canceled', released: false } : { state: 'succeeded', released: true });
      for (const target of targets) await assertThere(t, target, image.uuid, isCanceled);
    });
  }
  for (const site of [hub, ...targets]) await assertSound(t, site);
});

/** The process may die before it answers. */
async function ordered({ operator }: Site, image: string): Promise<FanOut> {
  const options = { account: ALICE, datacenters: 'all', together: true };
  const answered = await operator.copyImageToDcs(image, options).catch(() => undefined);
  if (answered) return answered;
  return waitFor('the fan-out', async () => {
    const [found] = await operator.listFanOuts({ account: ALICE, image }).catch(() => []);
    return found;
  });
}

function end({ operator }: Site, uuid: string): Promise<FanOut> {
  return waitFor('the fan-out to end', async () => {
    const fanOut = await operator.getFanOut(uuid);
    return fanOut.state !== 'running' && fanOut;
  });
}

/** Once, or without a trace; and no order is left that goes on. */
async function assertThere(
  t: Test,
  { name, alice, operator }: Site,
  image: string,
  isCanceled: boolean,
): Promise<void> {
  const shown = (await alice.listImages({ state: 'all' })).filter(({ uuid }) => uuid === image);
  t.same(
    shown.map(({ state }) => state),
    isCanceled ? [] : ['active'],
    `in ${name}`,
  );
  const orders = (await operator.listCopies()).filter(({ image_uuid }) => image_uuid === image);
  const states = orders.map(({ state }) => state);
  t.same(states, states.length === 0 ? [] : [isCanceled ? 'canceled' : 'succeeded'], `orders in ${name}`);
}
