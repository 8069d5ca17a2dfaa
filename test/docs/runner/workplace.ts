/** What the readers of a page work with who run one server here. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { freePort } from '../../helpers/free-port.ts';
import { type ConfigKeys, configKeys, temporaryFolder } from '../../helpers/imgapi.ts';
import { Shell, treeOfLinks } from './shells.ts';

export interface Workplace {
  /** Looks like the project's folder. */
  readonly tree: string;
  readonly scratch: string;
  /** The configuration file, once it is written. */
  readonly config: string;
  /** Where the server will listen. */
  readonly url: string;
  readonly client: ImgapiClient;
  /** Finds the commands in `bin` first, and then those of the tests. @param bin folders */
  shell(...bin: readonly string[]): Shell;
  /** Writes the configuration. */
  configure(keys?: ConfigKeys): Promise<void>;
}

export async function workplaceFor(t: Test): Promise<Workplace> {
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(scratch, 'config.json');
  const dataDir = join(scratch, 'data');
  const client = new ImgapiClient({ url });
  t.teardown(() => client.destroy());
  return {
    ...{ tree, scratch, config, url, client },
    shell: (...bin) =>
      new Shell(tree, scratch, {
        PATH: [`${tree}/src/cli/bin`, ...bin, process.env['PATH']].join(':'),
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: dataDir,
      }),
    async configure(keys = {}) {
      writeFileSync(config, JSON.stringify({ ...(await configKeys(dataDir, keys)), port }));
    },
  };
}
