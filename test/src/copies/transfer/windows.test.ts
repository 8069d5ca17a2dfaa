/** The bandwidth of a link by the time of day. */
import { test } from 'tap';
import { budgetAt } from '#src/copies/transfer/windows.ts';
import { loadConfig } from '#src/service/config/load.ts';

const at = (time: string): number => Date.parse(`2026-03-01T${time}Z`);

test('a number counts at any time, and a datacenter that is not named has no limit', async (t) => {
  t.equal(budgetAt({ east: 1000 }, 'east', at('12:00')), 1000);
  t.equal(budgetAt({ east: 1000 }, 'west', at('12:00')), undefined);
  t.equal(budgetAt({}, 'constructor', at('12:00')), undefined);
});

test('a window counts from its first minute until before its last', async (t) => {
  const bandwidth = { east: [{ from: '08:00', to: '18:00', bytesPerSecond: 1000 }] };
  t.equal(budgetAt(bandwidth, 'east', at('07:59:59')), undefined);
  t.equal(budgetAt(bandwidth, 'east', at('08:00')), 1000);
  t.equal(budgetAt(bandwidth, 'east', at('17:59:59')), 1000);
  t.equal(budgetAt(bandwidth, 'east', at('18:00')), undefined);
});

test('a window may go over midnight or last all day, and of two the lower counts', async (t) => {
  const night = { from: '22:00', to: '06:00', bytesPerSecond: 500 };
  t.equal(budgetAt({ east: [night] }, 'east', at('23:30')), 500);
  t.equal(budgetAt({ east: [night] }, 'east', at('05:59')), 500);
  t.equal(budgetAt({ east: [night] }, 'east', at('12:00')), undefined);
  const always = { from: '00:00', to: '00:00', bytesPerSecond: 2000 };
  t.equal(budgetAt({ east: [always] }, 'east', at('00:00')), 2000);
  t.equal(budgetAt({ east: [night, always] }, 'east', at('01:00')), 500);
  t.equal(budgetAt({ east: [night, always] }, 'east', at('12:00')), 2000);
});

test('what is said without times counts outside of all windows, and only there', async (t) => {
  const bandwidth = {
    east: [{ from: '08:00', to: '18:00', bytesPerSecond: 5000 }, { bytesPerSecond: 1000 }, { bytesPerSecond: 3000 }],
  };
  t.equal(budgetAt(bandwidth, 'east', at('12:00')), 5000);
  t.equal(budgetAt(bandwidth, 'east', at('18:00')), 1000);
});

test('a configuration with a wrong window is refused with what is wrong', async (t) => {
  const load = (window: object) => loadConfig(undefined, { copies: { bandwidth: { east: [window] } } });
  await load({ from: '08:00', to: '18:00', bytesPerSecond: 1 });
  await t.rejects(load({ from: '8:00', to: '18:00', bytesPerSecond: 1 }), { message: /time of day in UTC/ });
  await t.rejects(load({ from: '08:00', to: '24:00', bytesPerSecond: 1 }), { message: /time of day in UTC/ });
  await t.rejects(load({ from: '08:00', to: '18:00', bytesPerSecond: 0 }), { message: /whole number, 1 or more/ });
  await t.rejects(load({ from: '08:00', to: '18:00' }), { message: /bytesPerSecond/ });
});
