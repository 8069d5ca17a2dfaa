/** Debian's nginx for a test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { marks } from '../runner/own-run.ts';

export interface NginxOptions {
  /** Its workers are the user that runs the test, so that they can read what that user's servers keep. */
  readonly isOurs?: boolean;
}

/** Ends with the test. @param sites what stands in `http { }` */
export async function startNginx(t: Test, sites: string, { isOurs = false }: NginxOptions = {}): Promise<void> {
  const folder = await temporaryFolder(t, 'nginx');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp/${name};`);
  await mkdir(join(folder, 'tmp'));
  const user = isOurs && process.getuid?.() === 0 ? 'user root; ' : '';
  const config = `${user}daemon off; pid nginx.pid; error_log error.log; events { } http { access_log off; ${paths.join(' ')}\n${sites}}\n`;
  await writeFile(join(folder, 'nginx.conf'), config);
  const nginx = spawn('nginx', ['-p', folder, '-e', 'error.log', '-c', 'nginx.conf'], {
    stdio: 'inherit',
    env: { PATH: process.env['PATH'], ...marks() },
  });
  const gone = once(nginx, 'exit');
  t.teardown(async () => {
    nginx.kill('SIGQUIT');
    await gone;
  });
}
