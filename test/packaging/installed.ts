/** The npm package, made and installed as docs/installing.md says, with no registry in reach. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import packageJson from '../../package.json' with { type: 'json' };
import { runDocument } from '../docs/runner/run-document.ts';
import { type DocumentServer, documentServer } from '../docs/runner/servers.ts';
import { Shell, treeOfLinks } from '../docs/runner/shells.ts';
import { configKeys, temporaryFolder } from '../helpers/imgapi.ts';
import { marks } from '../runner/own-run.ts';

export const VERSION = packageJson.version;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Installed {
  /** Where the package lies. */
  readonly root: string;
  /** A server of it, which runs. */
  readonly server: DocumentServer;
  readonly configFile: string;
  /** Runs one of its commands, away from the tree. */
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Another server of it; the line is what goes on after its name. */
  serverOf(args: string): DocumentServer;
}

const NO_REGISTRY = 'http://127.0.0.1:9';
const run = promisify(execFile);

export async function installPackage(t: Test): Promise<Installed> {
  const [tree, scratch] = [await treeOfLinks(t), await temporaryFolder(t, 'imgapi-package')];
  const prefix = join(scratch, 'prefix');
  const configFile = join(scratch, 'config.json');
  writeFileSync(configFile, JSON.stringify(await configKeys(join(scratch, 'data'))));
  const bin = join(prefix, 'bin');
  const serverOf = (args: string) => documentServer(t, `${bin}/imgapi ${args}`, scratch);
  const server = serverOf(`-f ${configFile}`);
  const PATH = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const npm = { npm_config_cache: join(scratch, 'cache'), npm_config_registry: NO_REGISTRY };
  await runDocument(t, {
    file: 'docs/installing.md',
    shells: { '': new Shell(tree, scratch, { PATH, ...npm }) },
    values: {
      PREFIX: prefix,
      CONFIG: configFile,
      // What make would install is here: it runs these tests.
      'make package': 'make --no-print-directory -o node_modules/.installed package',
      'imgapiadm list': () => `imgapiadm --url ${server.url} list`,
    },
    notRun: [
      'they change how your shell starts; what the commands print is tried in the shells themselves',
      'they install, upgrade and purge the package on a Debian system that they make for that',
    ],
    instead: { 'imgapi -f CONFIG': () => server.start() },
  });
  const env = { ...marks(), HOME: scratch, PATH };
  return {
    ...{ root: join(prefix, 'lib/node_modules/imgapi'), server, configFile, serverOf },
    async run(command, args, more = {}) {
      try {
        return { code: 0, ...(await run(join(bin, command), args, { cwd: scratch, env: { ...env, ...more } })) };
      } catch (error) {
        return error as Ran;
      }
    },
  };
}
