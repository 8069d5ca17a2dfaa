/** node-smartdc 9, the command line that came before `triton`: what it does with images, in front of an IMGAPI. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { cloudapiInProcess, keyOf, makeKey, makePeople, type Person, type Ran } from '../helpers/cloudapi.ts';
import { makeImage } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { PATIENCE_MS } from '../helpers/wait.ts';
import { siteInProcess } from '../src/machines/fixture.ts';

const BIN = new URL('bin/', import.meta.resolve('smartdc/package.json')).pathname;

/** It calls functions of node's `util` that node no longer has. */
const GONE_FROM_UTIL = `
import util from 'node:util';
Object.assign(util, {
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isDate: util.types.isDate,
  isError: (value) => value instanceof Error,
  isFunction: (value) => typeof value === 'function',
  isNumber: (value) => typeof value === 'number',
  isObject: (value) => typeof value === 'object' && value !== null,
  isRegExp: util.types.isRegExp,
  isString: (value) => typeof value === 'string',
  isUndefined: (value) => value === undefined,
});`;

type Smartdc = (args: readonly string[]) => Promise<Ran>;

async function smartdcOf(
  t: Test,
  url: string,
  person: Person,
  more: Readonly<Record<string, string>> = {},
): Promise<Smartdc> {
  const home = await temporaryFolder(t, 'smartdc-home');
  const { pem, key } = keyOf(person);
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  await writeFile(join(home, '.ssh', 'id_rsa'), pem, { mode: 0o600 });
  await writeFile(join(home, '.ssh', 'id_rsa.pub'), `${key.publicKey.openssh} it\n`);
  const own = { SDC_URL: url, SDC_ACCOUNT: person.login, SDC_KEY_ID: key.publicKey.fingerprints.md5 };
  const env = { PATH: process.env['PATH'], HOME: home, ...own, ...more };
  const preload = `data:text/javascript,${encodeURIComponent(GONE_FROM_UTIL)}`;
  return ([command = '', ...args]) =>
    new Promise((resolve) => {
      const all = ['--no-deprecation', '--import', preload, join(BIN, command), ...args];
      execFile(process.execPath, all, { env, timeout: PATIENCE_MS }, (error, stdout, stderr) => {
        resolve({ status: Number(error?.code ?? 0), stdout, stderr });
      });
    });
}

test('sdc-listimages and the others', async (t) => {
  const made = makePeople();
  const role = { uuid: '40700000-0000-4000-8000-000000000001', name: 'readers', policies: ['read'] };
  const deploy = { uuid: '50b05e70-0000-4000-8000-000000000001', login: 'deploy', keys: { ci: makeKey('rsa') } };
  const alice: Person = {
    ...made.alice,
    users: [deploy],
    roles: [{ ...role, members: ['deploy'], default_members: ['deploy'] }],
    policies: [{ name: 'read', rules: ['CAN getimage'] }],
  };
  const { server, vm, alice: client } = await siteInProcess(t);
  const keys = { datacenters: { 'test-1': 'http://here.example.com' } };
  const { url } = await cloudapiInProcess(t, { people: [alice, made.bob, made.admin], imgapi: server.url, keys });
  const smartdc = await smartdcOf(t, url, alice);
  const json = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await smartdc(args);
    t.equal(status, 0, `${args.join(' ')}: ${stderr}`);
    // biome-ignore lint/suspicious/noExplicitAny: assertions check what the server sent
    return JSON.parse(stdout || 'null') as any;
  };
  const { image } = await makeImage(client, { name: 'mine' });

  t.match(await json('sdc-getaccount'), { id: ALICE, login: 'alice' });
  t.match(await json('sdc-listkeys'), [{ name: 'alice-key' }]);
  t.same(await json('sdc-listdatacenters'), keys.datacenters);
  const listed = (await json('sdc-listimages')) as { readonly name: string }[];
  t.same(listed.map(({ name }) => name).toSorted(), ['mine', 'my-image']);
  t.match(await json('sdc-getimage', image.uuid), { id: image.uuid, owner: ALICE, state: 'active' });
  t.match(await json('sdc-updateimage', '--description=what it is for', image.uuid), { description: 'what it is for' });

  const created = await json(
    'sdc-createimagefrommachine',
    `--machine=${vm.uuid}`,
    '--name=made',
    '--imageVersion=1.0.0',
  );
  t.match(created, { name: 'made', version: '1.0.0', state: 'creating' });

  t.match(await smartdc(['sdc-chmod', '--', '+readers', `/images/${image.uuid}`]), { status: 0 });
  const subUser = await smartdcOf(t, url, { ...alice, keys: deploy.keys }, { SDC_USER: 'deploy' });
  t.match(JSON.parse((await subUser(['sdc-getimage', image.uuid])).stdout), { id: image.uuid });
  t.match(await subUser(['sdc-listimages']), { status: /[1-9]/, stderr: /NotAuthorized/ });

  const refused: readonly [string[], RegExp][] = [
    [['sdc-exportimage', '--mantaPath=/alice/stor', image.uuid], /StorageUnsupported/],
    [['sdc-updateaccount', '--phone=1'], /NotAvailable.*managed elsewhere/],
    [['sdc-getimage', '11111111-2222-4333-8444-555555555555'], /ResourceNotFound.*image not found/],
  ];
  for (const [args, message] of refused) t.match(await smartdc(args), { stderr: message }, args.join(' '));
  t.match(await smartdc(['sdc-deleteimage', image.uuid]), { status: 0 });
  t.match(await smartdc(['sdc-getimage', image.uuid]), { stderr: /ResourceNotFound/ });
});
