/** A datacenter with an image of Alice's, and others that it is linked with and that accept its orders. */
import type { Test } from 'tap';
import type { FanOut } from '#lib/api/schemas/fan-out.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken, type LinkTokenOptions } from '#src/datacenters/links/link-tokens.ts';
import { changeLink } from '#src/datacenters/links/links.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { makeImage } from '../../../helpers/images.ts';
import { type InProcess, startInProcess } from '../../../helpers/imgapi.ts';
import { startTcpProxy, type TcpProxy } from '../../../helpers/tcp-proxy.ts';
import { waitFor } from '../../../helpers/wait.ts';

const DAILY = 1_000_000_000;
export const ACCEPTS = { hub: { bytesPerDay: DAILY } };

export interface Hub {
  readonly hub: InProcess;
  readonly image: string;
  readonly targets: Readonly<Record<string, InProcess>>;
  /** What the hub's calls to a target go through. */
  readonly networks: Readonly<Record<string, TcpProxy>>;
  /** Starts a datacenter again, which accepts other orders now. */
  restart(name: string, acceptOrders?: object): Promise<InProcess>;
}

export interface HubOptions {
  readonly terms?: LinkTokenOptions;
  /** What they accept, by name; undefined: {@link ACCEPTS}. */
  readonly targets: Readonly<Record<string, object | undefined>>;
  /** Whom each of the datacenters tells. */
  readonly webhooks?: readonly object[];
}

export async function startHub(t: Test, { targets: names, terms, webhooks = [] }: HubOptions): Promise<Hub> {
  const hub = await start(t, 'hub', { port: await freePort(), webhooks });
  const targets: Record<string, InProcess> = {};
  const networks: Record<string, TcpProxy> = {};
  for (const [name, acceptOrders = ACCEPTS] of Object.entries(names)) {
    const target = await start(t, name, { port: await freePort(), webhooks, acceptOrders });
    const { token, url } = await createLinkToken(target.imgapi.service, terms);
    await linkDatacenter(hub.imgapi.service, { name, url, token });
    const network = await startTcpProxy(Number(new URL(url).port));
    t.teardown(() => network.close());
    // Requests are signed for the host that they are sent to.
    await changeLink(hub.imgapi.service, name, (link) => ({ ...link, url: network.url }));
    await changeLink(target.imgapi.service, 'hub', (link) => ({ ...link, our_url: network.url }));
    targets[name] = target;
    networks[name] = network;
  }
  const { image } = await makeImage(hub.client(), {}, { owner: ALICE });
  const restart = async (name: string, acceptOrders: object = ACCEPTS) => {
    const before = name === 'hub' ? hub : targets[name];
    if (!before?.linksUrl) throw new Error(`there is no ${name}`);
    await before.imgapi.close({ patience: 0 });
    const port = Number(new URL(before.linksUrl).port);
    return start(t, name, { port, webhooks, acceptOrders, dataDir: before.dataDir });
  };
  return { hub, image: image.uuid, targets, networks, restart };
}

interface Start {
  readonly port: number;
  readonly webhooks: readonly object[];
  readonly acceptOrders?: object;
  readonly dataDir?: string;
}

function start(t: Test, datacenterName: string, { port, webhooks, acceptOrders = {}, dataDir }: Start) {
  const links = { address: '127.0.0.1', port, acceptOrders };
  return startInProcess(t, { datacenterName, links, webhooks }, dataDir === undefined ? {} : { dataDir });
}

export function until(hub: InProcess, uuid: string, what: string, is: (fanOut: FanOut) => boolean): Promise<FanOut> {
  const client = hub.client();
  return waitFor(what, async () => {
    const fanOut = await client.getFanOut(uuid);
    return is(fanOut) && fanOut;
  });
}

export function statesOf({ datacenters }: FanOut): Record<string, string> {
  return Object.fromEntries(datacenters.map(({ datacenter, state }) => [datacenter, state]));
}

/** Whether Alice can use the image there. */
export async function isShown(target: InProcess, uuid: string): Promise<boolean> {
  const images = await target.client({ account: ALICE }).listImages();
  return images.some((image) => image.uuid === uuid);
}
