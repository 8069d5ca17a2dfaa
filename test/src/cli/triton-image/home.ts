/** A user of `triton-image`: a home folder with a key, and the command run in it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import type { Image } from '#lib/api/schemas/image.ts';
import type { Environment } from '#src/cli/framework/command.ts';
import { tritonImage } from '#src/cli/triton-image/program.ts';
import { makeKey, type TestKey } from '../../../helpers/cloudapi.ts';
import { temporaryFolder } from '../../../helpers/imgapi.ts';
import { type Ran, type RunOptions, runCaptured } from '../capture.ts';
import { ALICE, image } from '../fixtures.ts';
import { type Answer, json, type Playback, playBack, type Script } from '../playback.ts';

export interface User {
  readonly login: string;
  readonly home: string;
  readonly key: TestKey;
  /** Of the command, for the CloudAPI at `url`. */
  env(url: string): Environment;
}

/** With a key file of its own, unless `hasFile` says otherwise. */
export async function makeUser(t: Test, login = 'alice', key = makeKey('ed25519'), hasFile = true): Promise<User> {
  const home = await temporaryFolder(t, 'triton-image-home');
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  if (hasFile) {
    await writeFile(join(home, '.ssh', `id_${key.type}`), key.pem, { mode: 0o600 });
    await writeFile(join(home, '.ssh', `id_${key.type}.pub`), `${key.key.publicKey.openssh} ${login}@example.com\n`);
  }
  const env = (url: string): Environment => ({
    HOME: home,
    TRITON_URL: url,
    TRITON_ACCOUNT: login,
    TRITON_KEY_ID: key.key.publicKey.fingerprints.md5,
  });
  return { login, home, key, env };
}

export function runTritonImage(args: readonly string[], options?: RunOptions): Promise<Ran> {
  return runCaptured(tritonImage, args, options);
}

export interface Played {
  readonly server: Playback;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** The command as alice, against a CloudAPI that answers by a script; paths are those below `/alice`. */
export async function played(t: Test, script: Script, user?: User): Promise<Played> {
  const who = user ?? (await makeUser(t));
  const below = Object.entries(script).map(([key, answer]) => [key.replace(' ', ' /alice'), answer]);
  const server = await playBack(t, { 'GET /alice': json({ id: ALICE, login: 'alice' }), ...Object.fromEntries(below) });
  return {
    server,
    run: (args, options = {}) => runTritonImage(args, { ...options, env: { ...who.env(server.url), ...options.env } }),
  };
}

export function cloudImage(fields: Partial<Image> & { readonly shared_with?: readonly string[] } = {}): CloudapiImage {
  const { shared_with, ...others } = fields;
  const { uuid: id, v: _, disabled: __, requirements: ___, ...rest } = image(others);
  return { id, requirements: {}, ...rest, ...(shared_with && { shared_with }) };
}

/** Answers ListImages with those that fit the name, the version, the state and the owner that are asked for. */
export function listing(...images: readonly CloudapiImage[]): Answer {
  return (response, asked) => {
    const query = new URL(asked.path, 'http://localhost').searchParams;
    const found = images.filter((one) => {
      const fits = (field: 'name' | 'version'): boolean => {
        const wanted = query.get(field) ?? one[field];
        return wanted.startsWith('~') ? one[field].includes(wanted.slice(1)) : wanted === one[field];
      };
      const state = query.get('state') ?? 'active';
      const isOwn = one.owner === ALICE;
      const isShared = !isOwn && one.public !== true;
      return (
        fits('name') &&
        fits('version') &&
        (state === 'all' || state === one.state) &&
        (query.get('owner') !== 'me' || isOwn) &&
        (query.get('shared') !== 'true' || isShared)
      );
    });
    json(found)(response, asked);
  };
}
