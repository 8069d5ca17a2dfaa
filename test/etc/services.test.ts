/** What service management is told, held to what is in the tree and to what the examples need. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';

const UNITS = ['etc/imgapi.service', 'etc/imgapi-cloudapi.service'];
const INSTALLED = '/opt/imgapi/';
const IMGAPI = globSync('etc/examples/*.json')
  .map((file) => ({ file, keys: JSON.parse(readFileSync(file, 'utf8')) }))
  .filter(({ keys }) => keys.mode !== undefined);
const CLOUDAPI = {
  file: 'etc/examples/cloudapi.json',
  keys: JSON.parse(readFileSync('etc/examples/cloudapi.json', 'utf8')),
};

/** The values of a key, in order. */
function valuesOf(unit: string, key: string): string[] {
  const lines = readFileSync(unit, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

test('every unit of the tree is looked at', async (t) => {
  t.strictSame(globSync('etc/*.service').toSorted(), UNITS.toSorted());
});

for (const unit of UNITS) {
  test(`${unit} starts what is in the tree, and can compile what it runs`, async (t) => {
    const [start = ''] = valuesOf(unit, 'ExecStart');
    const [program = '', script = '', ...args] = start.split(' ');
    t.ok(program.startsWith(INSTALLED));
    t.ok(statSync(program.slice(INSTALLED.length)).mode & 0o111, `${program} can be executed`);
    t.ok(existsSync(script), script);
    t.match(args.join(' '), /^-f \/etc\/imgapi\/\w+\.config\.json$/);
    t.strictSame(valuesOf(unit, 'MemoryDenyWriteExecute'), [], 'V8 writes the code that it runs');
  });

  test(`${unit} starts again what a reload has ended, because it came before Node.js listened for signals`, async (t) => {
    t.match(valuesOf(unit, 'ExecReload').join(), '-HUP');
    t.strictSame(valuesOf(unit, 'RestartForceExitStatus'), ['SIGHUP']);
  });

  test(`${unit} names files of the tree only`, async (t) => {
    for (const [path = ''] of readFileSync(unit, 'utf8').matchAll(/\/opt\/imgapi\/[\w./-]+/g)) {
      t.ok(existsSync(path.slice(INSTALLED.length).replace(/\.$/, '')), path);
    }
  });
}

test('the ports of the examples can be bound by the users of the units', async (t) => {
  const examples = [
    ...IMGAPI.map((example) => ({ ...example, unit: 'etc/imgapi.service' })),
    { ...CLOUDAPI, unit: 'etc/imgapi-cloudapi.service' },
  ];
  for (const { file, keys, unit } of examples) {
    const ports = [keys.port, keys.links?.port, keys.metrics?.port].filter((port) => port !== undefined);
    const may = valuesOf(unit, 'AmbientCapabilities').includes('CAP_NET_BIND_SERVICE');
    t.ok(may || ports.every((port: number) => port >= 1024), `${file}: ${ports}`);
  }
  const manifest = readFileSync('smf/manifests/imgapi.xml', 'utf8');
  t.match(manifest, /privileges="basic,net_privaddr"/);
});

test('the data folders of the examples can be written by the unit', async (t) => {
  const writable = [
    ...valuesOf('etc/imgapi.service', 'StateDirectory').map((name) => join('/var/lib', name)),
    ...valuesOf('etc/imgapi.service', 'ReadWritePaths').map((path) => path.replace(/^-/, '')),
  ];
  for (const { file, keys } of IMGAPI) {
    if (!String(keys.dataDir).startsWith('/')) continue;
    t.ok(writable.includes(keys.dataDir), `${file}: ${keys.dataDir} is one of ${writable}`);
  }
});

test('service management waits longer for the end than the services take', async (t) => {
  for (const unit of UNITS) t.ok(Number(valuesOf(unit, 'TimeoutStopSec')[0]) > 30, unit);
  for (const manifest of globSync('smf/manifests/*.xml')) {
    const seconds = /name="stop" timeout_seconds="(\d+)"/.exec(readFileSync(manifest, 'utf8'))?.[1];
    t.ok(Number(seconds) > 30, manifest);
  }
});

const IN_ZONE = '/opt/smartdc/imgapi/';

for (const manifest of globSync('smf/manifests/*.xml')) {
  test(`${manifest} starts what is in the tree, with a configuration that it waits for`, async (t) => {
    const text = readFileSync(manifest, 'utf8');
    const [, program = '', script = '', config = ''] =
      /name="start"[^>]*exec="(\S+) (\S+) -f (\S+) &amp;"/.exec(text) ?? [];
    t.ok(program.startsWith(IN_ZONE), program);
    t.ok(statSync(program.slice(IN_ZONE.length)).mode & 0o111, `${program} can be executed`);
    t.ok(existsSync(script), script);
    t.match(text, `value="file://localhost${config}"`);
  });

  test(`${manifest} finds a Node.js that pkgsrc has installed, as well as one in the tree`, async (t) => {
    const path = /name="PATH" value="([^"]+)"/.exec(readFileSync(manifest, 'utf8'))?.[1]?.split(':') ?? [];
    t.ok(path.includes('/opt/local/bin'), path.join(':'));
    // What the script needs itself.
    t.ok(path.includes('/usr/bin'));
  });
}
