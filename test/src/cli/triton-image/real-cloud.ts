/** Two real datacenters, a real CloudAPI before each, and people with keys. */
import { once } from 'node:events';
import type { Test } from 'tap';
import type { Environment } from '#src/cli/framework/command.ts';
import { type CloudOptions, type Site, startCloud } from '../../../helpers/cloud.ts';
import { keyOf, makePeople, type SpawnedCloudapi, spawnCloudapi } from '../../../helpers/cloudapi.ts';
import { freePort } from '../../../helpers/free-port.ts';
import type { Ran, RunOptions } from '../capture.ts';
import { makeUser, runTritonImage, type User } from './home.ts';

export type Login = 'admin' | 'alice' | 'bob' | 'carol';

export interface Place {
  readonly site: Site;
  readonly url: string;
  killCloudapi(): Promise<void>;
  startCloudapi(): Promise<void>;
}

export interface RealCloud {
  readonly east: Place;
  readonly west: Place;
  env(login: Login, place: Place): Environment;
  /** The command as one of the people, at the CloudAPI of a datacenter. */
  run(login: Login, place: Place, args: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** @param others further datacenters that are listed, by name */
export async function realCloud(
  t: Test,
  others: Readonly<Record<string, string>> = {},
  options: CloudOptions = {},
): Promise<RealCloud> {
  const people = makePeople();
  const { east, west } = await startCloud(t, options);
  const [eastPort, westPort] = [await freePort(), await freePort()];
  const datacenters = {
    [east.name]: `http://127.0.0.1:${eastPort}`,
    [west.name]: `http://127.0.0.1:${westPort}`,
    ...others,
  };
  const place = async (site: Site, port: number): Promise<Place> => {
    let running: SpawnedCloudapi | undefined;
    const made: Place = {
      site,
      url: datacenters[site.name] ?? '',
      async startCloudapi() {
        const keys = { port, datacenterName: site.name, datacenters };
        running = await spawnCloudapi(t, { people: Object.values(people), imgapi: site.front.url, keys });
      },
      async killCloudapi() {
        if (!running) return;
        const gone = once(running.process, 'exit');
        running.process.kill('SIGKILL');
        await gone;
      },
    };
    await made.startCloudapi();
    return made;
  };
  const places = await Promise.all([place(east, eastPort), place(west, westPort)]);
  const users = new Map<Login, User>();
  for (const login of ['admin', 'alice', 'bob', 'carol'] as const) {
    users.set(login, await makeUser(t, login, keyOf(people[login])));
  }
  const env = (login: Login, { url }: Place): Environment => users.get(login)?.env(url) ?? {};
  return {
    east: places[0],
    west: places[1],
    env,
    run: (login, at, args, more = {}) => runTritonImage(args, { ...more, env: env(login, at) }),
  };
}
