import { test } from 'tap';
import { loadConfig } from '#src/service/config/load.ts';

const DC = { mode: 'dc', datacenterName: 'us-sw-1', adminUuid: '930896af-bf8c-48d4-885c-6573a94b1853' };

async function load(moray: object | undefined, databaseType = 'moray'): ReturnType<typeof loadConfig> {
  return loadConfig(undefined, { ...DC, databaseType, ...(moray && { moray }) });
}

test('moray is taken as templates render it, its port as a number or a string', async (t) => {
  for (const port of [2020, '2020', undefined]) {
    const { config, notes } = await load({
      host: 'moray.us-sw-1.cloud.example.com',
      ...(port !== undefined && { port }),
    });
    t.match(config.moray, { host: 'moray.us-sw-1.cloud.example.com', port: 2020, timeoutSeconds: 10 });
    t.strictSame(notes, []);
  }
});

test('what cannot work is refused by name', async (t) => {
  await t.rejects(load(undefined), { message: /moray: missing; databaseType names it/ });
  await t.rejects(load({}), { message: /moray\.host: missing/ });
  await t.rejects(load({ host: 'localhost' }), { message: /moray\.host: .*\/etc\/hosts/ });
  for (const port of ['20x', 0, '70000', 1.5]) {
    await t.rejects(load({ host: '10.0.0.1', port }), { message: /moray\.port: .*from 1 to 65535/ }, String(port));
  }
});

test('a section that is not used is noted, and keys that there are not are named', async (t) => {
  t.strictSame((await load({ host: 'm' }, 'local')).notes, ['moray: not used, because databaseType does not name it']);
  t.strictSame((await load({ host: 'm', connectTimeout: 200 })).unknownKeys, ['moray.connectTimeout']);
});
