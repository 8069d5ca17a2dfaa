/** nginx with sendfile, serving one file: the reference for downloads. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { freePort } from '../helpers/free-port.ts';
import { waitFor } from '../helpers/wait.ts';

export interface Nginx {
  /** Of the file. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Undefined where nginx is not installed. */
export async function startNginx(directory: string, file: string): Promise<Nginx | undefined> {
  if (spawnSync('nginx', ['-v']).error) return undefined;
  const root = join(directory, 'nginx');
  await mkdir(root, { recursive: true });
  const port = await freePort();
  const config = join(root, 'nginx.conf');
  await writeFile(config, configuration(root, dirname(file), port));
  const child = spawn('nginx', ['-p', root, '-c', config, '-e', join(root, 'error.log')], { stdio: 'ignore' });
  await waitFor('nginx', () => isOpen(port));
  return {
    url: `http://127.0.0.1:${port}/${basename(file)}`,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function configuration(root: string, files: string, port: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${root}/${name};`,
  );
  return `user root;
daemon off;
worker_processes 1;
pid ${root}/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  ${paths.join('\n  ')}
  sendfile on;
  tcp_nopush on;
  server { listen 127.0.0.1:${port}; root ${files}; }
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
