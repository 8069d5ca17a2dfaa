/** The examples, each started as it is but for the places of its engines and its own; and the one for three machines, on three. */
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { morayDouble } from '../doubles/moray/client.ts';
import { mantaFor } from '../engines/manta.ts';
import { postgresFor } from '../engines/postgres/postgres-for.ts';
import { s3For } from '../engines/s3.ts';
import { ALICE, BOB, writeAccounts } from '../helpers/accounts.ts';
import { startBalancer } from '../helpers/balancer.ts';
import { freePort } from '../helpers/free-port.ts';
import { askHealth } from '../helpers/health.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../helpers/imgapi.ts';
import { selfSigned, ufdsFor } from '../helpers/ufds.ts';
import { type FileServer, type Places, startFile } from './start-file.ts';

interface Example {
  /** What is elsewhere in the test. @param folder the server's own */
  readonly places: (t: Test, folder: string) => Promise<Places> | Places;
  readonly main?: string;
  readonly health?: string;
}

const onOwnPort: Places = { '"port": 8080': '"port": 0' };
const inFolder = (folder: string, dataDir = '/var/lib/imgapi'): Places => ({ [`"${dataDir}"`]: `"${folder}/data"` });

const EXAMPLES: Readonly<Record<string, Example>> = {
  'embedded-private.json': { places: (_, folder) => ({ '"build/data"': `"${folder}/data", "port": 0` }) },
  'public.json': { places: (_, folder) => ({ ...onOwnPort, ...inFolder(folder) }) },
  'dc-us-sw-1.json': {
    places: async (_, folder) => ({
      '"/data/imgapi/etc/accounts.json"': `"${await writeAccounts(folder)}"`,
      ...inFolder(folder, '/data/imgapi'),
      '"address": "10.99.99.21"': '"address": "127.0.0.1"',
      '"port": 80,': '"port": 0,',
      '"port": 8443': '"port": 0',
      '"adminIp": "10.99.99.21"': '"metrics": { "port": 0 }, "adminIp": "127.0.0.1"',
    }),
  },
  'postgresql.json': {
    places: async (t, folder) => ({ ...onOwnPort, ...inFolder(folder), ...(await databasePlaces(t, SOCKET)) }),
  },
  's3.json': {
    places: async (t, folder) => ({
      ...onOwnPort,
      ...inFolder(folder),
      ...(await bucketPlaces(t, 'https://objects.example.com', 'secret')),
    }),
  },
  'moray-manta.json': {
    places: async (t, folder) => {
      const { keys } = await mantaFor(t);
      const { url, key, keyId } = keys.manta as Record<'url' | 'key' | 'keyId', string>;
      const { port } = await morayDouble(t);
      return {
        ...inFolder(folder, '/data/imgapi'),
        '"port": 80,': '"port": 0,',
        '"port": 8443': '"port": 0',
        '"adminIp": "10.99.99.21"': '"metrics": { "port": 0 }',
        'moray.us-sw-1.cloud.example.com': '127.0.0.1',
        '2020': String(port),
        'https://manta.us-sw.cloud.example.com': url,
        '/data/imgapi/etc/id_rsa': key,
        '8a:05:2c:5f:4c:29:b3:7a:0b:50:9c:15:11:d2:2c:1e': keyId,
        ...(await directoryPlaces(t, folder, 'ldaps://ufds.us-sw-1.cloud.example.com', '/data/imgapi/etc/ufds.pem')),
      };
    },
  },
  'three-machines-openldap.json': {
    places: async (t, folder) => ({
      ...(await databasePlaces(t, { host: '127.0.0.1', port: '"port": 6432' })),
      ...(await sharedPlaces(t)),
      ...(await machinePlaces(folder)),
      '"cn=imgapi, o=smartdc"': '"cn=root"',
      'ldap-secret': 'secret',
      ...(await directoryPlaces(t, folder, 'ldaps://ldap.us-sw-1.example.com', '/etc/imgapi/ldap-ca.pem')),
    }),
  },
  'cloudapi.json': {
    places: async (t, folder) => ({
      '8090': '0',
      'http://10.99.99.21': (await startInProcess(t)).url,
      '/data/imgapi/etc/accounts.json': await writeAccounts(folder),
    }),
    main: 'src/cloudapi/main.ts',
    health: '/--healthz',
  },
};

/** The roles of tests may not make extensions, of which a server that runs long enough complains. */
const NOT_ALLOWED_IN_TESTS = /^parts of texts cannot be indexed/;

/** It is started three times, below. */
const CLUSTER = 'three-machines.json';

test('every example is started', async (t) => {
  t.strictSame(readdirSync('etc/examples').toSorted(), [...Object.keys(EXAMPLES), CLUSTER].toSorted());
});

for (const [name, { places, main, health = '/healthz' }] of Object.entries(EXAMPLES)) {
  test(`${name} starts`, async (t) => {
    const folder = await temporaryFolder(t);
    const server = await startFile(t, `etc/examples/${name}`, {
      folder,
      places: await places(t, folder),
      ...(main !== undefined && { main }),
    });
    const { status, json } = await askHealth(`${server.clientUrl}${health}`);
    t.equal(status, 200, JSON.stringify(json));
    await server.stop();
    const complaints = server
      .records()
      .filter(({ level }) => Number(level) >= 40)
      .filter(({ msg }) => !NOT_ALLOWED_IN_TESTS.test(String(msg)));
    t.strictSame(complaints, [], 'it has nothing to complain of');
  });
}

test(`${CLUSTER}: any of them answers, and one may go`, async (t) => {
  const shared = { ...(await databasePlaces(t, DATABASE)), ...(await sharedPlaces(t)) };
  const withoutTls = { '"tls": true,': '"tls": false,', ',\n    "caFile": "/etc/imgapi/db-ca.pem"': '' };
  const accounts = { '/etc/imgapi/accounts.json': await writeAccounts(await temporaryFolder(t)) };
  const servers: FileServer[] = [];
  for (const workers of ['"workers": 2', '"workers": 1', '"workers": 1']) {
    const folder = await temporaryFolder(t);
    const places = { ...shared, ...withoutTls, ...accounts, ...(await machinePlaces(folder)), '"workers": 2': workers };
    servers.push(await startFile(t, `etc/examples/${CLUSTER}`, { folder, places }));
  }
  const urls = servers.map(({ clientUrl }) => clientUrl);
  const balancer = await startBalancer(urls.map((url) => Number(new URL(url).port)));
  t.teardown(() => balancer.close());
  const clientOf = (url: string, account?: string): ImgapiClient => {
    const client = new ImgapiClient({ url, ...(account !== undefined && { account }) });
    t.teardown(() => client.destroy());
    return client;
  };
  const { image, bytes } = await makeImage(clientOf(balancer.url, ALICE));
  await clientOf(balancer.url, ALICE).addImageAcl(image.uuid, ['bob']);
  for (const url of urls) {
    const { stream } = await clientOf(url, BOB).getImageFile(image.uuid);
    t.equal(sha1Of(Buffer.concat(await stream.toArray())), sha1Of(bytes), `through ${url}`);
  }
  await servers[0]?.stop();
  t.equal((await clientOf(balancer.url, BOB).getImage(image.uuid)).uuid, image.uuid);
  await clientOf(balancer.url, ALICE).deleteImage(image.uuid);
});

const DATABASE = { host: 'db.us-sw-1.example.com', password: '"db-secret"' };
const SOCKET = { host: '/var/run/postgresql' };

interface Named {
  readonly host: string;
  readonly port?: string;
  readonly password?: string;
}

/** @param named as the file has it */
async function databasePlaces(t: Test, { host, port }: Named): Promise<Places> {
  const { options } = await postgresFor(t);
  const schema = `"schema": "${options.schema}"`;
  return {
    [port ?? `"host": "${host}"`]: `"port": ${options.port}, ${schema}${port ? '' : `, "host": "${options.host}"`}`,
    ...(port !== undefined && { [host]: options.host }),
    '"user": "imgapi"': `"user": "${options.user}"`,
    '"database": "imgapi"': `"database": "${options.database}"`,
  };
}

/** @param secret as the file has it */
async function bucketPlaces(t: Test, endpoint: string, secret: string): Promise<Places> {
  const { keys } = await s3For(t);
  const { endpoint: own, bucket, prefix, accessKeyId, secretAccessKey } = keys.s3 as Record<string, string>;
  return {
    [endpoint]: String(own),
    '"bucket": "images"': `"bucket": "${bucket}", "prefix": "${prefix}"`,
    AKIAEXAMPLE: String(accessKeyId),
    [`"${secret}"`]: `"${secretAccessKey}"`,
  };
}

/** What all machines have in common. */
function sharedPlaces(t: Test): Promise<Places> {
  return bucketPlaces(t, 'https://objects.us-sw-1.example.com', 's3-secret');
}

/** What is each machine's own. */
async function machinePlaces(folder: string): Promise<Places> {
  return {
    ...inFolder(folder),
    '"port": 8080': `"port": ${await freePort()}`,
    '"port": 8081': `"port": ${await freePort()}`,
    '"port": 8881': `"port": ${await freePort()}`,
  };
}

async function directoryPlaces(t: Test, folder: string, url: string, caFile: string): Promise<Places> {
  const tls = selfSigned('directory');
  const { keys } = await ufdsFor(t, { tls });
  const pem = join(folder, 'directory.pem');
  await writeFile(pem, tls.certificate);
  return { [url]: (keys['ufds'] as { url: string }).url, [`"${caFile}"`]: `"${pem}", "serverName": "directory"` };
}
