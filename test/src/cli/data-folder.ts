/** A data directory as a server leaves it: with the operator's secret, and a note of where the server listens. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { noteListening } from '#src/service/config/listening.ts';
import { runImgapiadm } from './capture.ts';
import { type Playback, playBack, type Script } from './playback.ts';

/** @param url where its server listens, if there is one */
export async function dataFolder(dir: string, url?: string, secret = 's3cret\n'): Promise<string> {
  mkdirSync(join(dir, 'keys'), { recursive: true });
  writeFileSync(join(dir, 'keys', 'operator.token'), secret);
  if (url !== undefined) await noteListening(dir, url);
  return dir;
}

export interface Administered {
  readonly server: Playback;
  /** Runs imgapiadm on the server's machine. */
  readonly run: (...args: string[]) => ReturnType<typeof runImgapiadm>;
}

export async function administered(t: Test, script: Script): Promise<Administered> {
  const server = await playBack(t, script);
  const dir = await dataFolder(t.testdir(), server.url);
  const env = { IMGAPI_URL: server.url, IMGAPI_DATA_DIR: dir };
  return { server, run: (...args) => runImgapiadm(args, { env }) };
}
