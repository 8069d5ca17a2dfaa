/** nginx with sendfile, serving one file: the reference for downloads. And nginx before a server, as docs/behind-nginx.md has it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { freePort } from '../helpers/free-port.ts';
import { waitFor } from '../helpers/wait.ts';
import type { Running } from './server.ts';

const BEFORE_A_SERVER = new URL('../../etc/nginx/imgapi-files.conf', import.meta.url);

export interface Nginx {
  /** Of the file. */
  readonly url: string;
  /** Of the server, through nginx. */
  readonly serverUrl: string;
  stop(): Promise<void>;
}

/** Undefined where nginx is not installed. */
export async function startNginx(directory: string, file: string, before: Running): Promise<Nginx | undefined> {
  if (spawnSync('nginx', ['-v']).error) return undefined;
  const root = join(directory, 'nginx');
  await mkdir(root, { recursive: true });
  const port = await freePort();
  const front = await freePort();
  const config = join(root, 'nginx.conf');
  const { host } = new URL(before.url);
  const ofServer = (await readFile(BEFORE_A_SERVER, 'utf8'))
    .replace('10.99.1.20:80', `127.0.0.1:${front}`)
    .replace('127.0.0.1:8080', host)
    .replace('/var/lib/imgapi/storage/', `${before.dataDir}/storage/`);
  await writeFile(config, configuration(root, dirname(file), port, ofServer));
  const child = spawn('nginx', ['-p', root, '-c', config, '-e', join(root, 'error.log')], { stdio: 'ignore' });
  await waitFor('nginx', async () => (await isOpen(port)) && (await isOpen(front)));
  return {
    url: `http://127.0.0.1:${port}/${basename(file)}`,
    serverUrl: `http://127.0.0.1:${front}`,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function configuration(root: string, files: string, port: number, ofServer: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${root}/${name};`,
  );
  return `user root;
daemon off;
worker_processes 1;
pid ${root}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  ${paths.join('\n  ')}
  sendfile on;
  tcp_nopush on;
  server { listen 127.0.0.1:${port}; root ${files}; }
  ${ofServer}
}
`;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
