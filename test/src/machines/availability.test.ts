/** Whether images can be made from machines, and where nodes are told to bring them. */
import { test } from 'tap';
import { meansOf } from '#src/machines/availability.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { OwnAddresses } from '#src/service/own-addresses.ts';
import { ADMIN } from '../../helpers/accounts.ts';
import type { ConfigKeys } from '../../helpers/imgapi.ts';

const DC = { mode: 'dc', authType: 'none', datacenterName: 'us-own-1', adminUuid: ADMIN, address: '0.0.0.0', port: 80 };
const APIS = { vmapi: { url: 'http://vmapi.example' }, cnapi: { url: 'http://cnapi.example' } };
const S3 = {
  storageTypes: ['s3'],
  s3: { endpoint: 'https://s3.example', bucket: 'images', region: 'x', accessKeyId: 'x', secretAccessKey: 'y' },
};
const ENOUGH = { ...DC, ...APIS, allowLocalCreateImageFromVm: true, adminIp: '10.99.99.21' };

async function means(keys: ConfigKeys) {
  const { config } = await loadConfig(undefined, keys);
  return meansOf({ config, ownAddresses: new OwnAddresses() });
}

test('nodes are told the URL that is configured, or that of the admin network', async (t) => {
  for (const [more, url] of [
    [{}, 'http://10.99.99.21'],
    [{ port: 8080 }, 'http://10.99.99.21:8080'],
    [{ publicUrl: 'https://images.example/imgapi' }, 'https://images.example/imgapi'],
    [{ publicUrl: 'https://images.example', createFromVm: { imgapiUrl: 'http://10.0.0.9' } }, 'http://10.0.0.9'],
    [{ adminIp: undefined, address: '10.0.0.7' }, 'http://10.0.0.7'],
    [{ adminIp: undefined, address: 'fd00::7', port: 8080 }, 'http://[fd00::7]:8080'],
    [{ adminIp: undefined, address: 'imgapi.example' }, 'http://imgapi.example'],
    [S3, 'http://10.99.99.21'],
    [{ ...S3, allowLocalCreateImageFromVm: false }, 'http://10.99.99.21'],
  ] as const) {
    t.equal((await means(defined({ ...ENOUGH, ...more }))).imgapiUrl, url);
  }
});

test('what is missing is named', async (t) => {
  for (const [more, message] of [
    [{ vmapi: undefined }, /vmapi.url and cnapi.url are not both configured/],
    [{ cnapi: undefined }, /vmapi.url and cnapi.url are not both configured/],
    // As Triton's template renders them before the domain is known.
    [{ vmapi: { url: 'http://' }, cnapi: { url: '' } }, /vmapi.url and cnapi.url are not both configured/],
    [{ allowLocalCreateImageFromVm: '' }, /allowLocalCreateImageFromVm is not set/],
    [{ authType: 'signature' }, /do not sign their requests/],
    [{ adminIp: '' }, /where compute nodes reach this service/],
    [{ adminIp: undefined, address: '127.0.0.1' }, /where compute nodes reach this service/],
    [{ adminIp: undefined, address: '::' }, /where compute nodes reach this service/],
  ] as const) {
    await t.rejects(means(defined({ ...ENOUGH, ...more })), { statusCode: 501, code: 'NotAvailable', message });
  }
});

function defined(keys: ConfigKeys): ConfigKeys {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
}
