/** One datacenter of the demo: IMGAPI and CloudAPI, and a relay through which the other one reaches its link port. */
import { join } from 'node:path';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { end, type ImgapiOptions, type Process, startCloudapi, startImgapi } from './cloud.ts';

export interface DatacenterOptions {
  readonly name: string;
  readonly directory: string;
  readonly accountsFile: string;
  readonly ports: { readonly imgapi: number; readonly links: number; readonly cloudapi: number };
  readonly datacenters: Readonly<Record<string, string>>;
  readonly bandwidth?: Readonly<Record<string, number>>;
}

export class Datacenter {
  readonly name: string;
  readonly dataDir: string;
  /** Counts what the other datacenter gets from here. */
  readonly relay: TcpProxy;
  readonly #options: ImgapiOptions;
  #imgapi: Process;
  readonly #cloudapi: Process;

  private constructor(options: ImgapiOptions, relay: TcpProxy, imgapi: Process, cloudapi: Process) {
    this.name = options.name;
    this.dataDir = options.dataDir;
    this.relay = relay;
    this.#options = options;
    this.#imgapi = imgapi;
    this.#cloudapi = cloudapi;
  }

  static async start(options: DatacenterOptions): Promise<Datacenter> {
    const { name, accountsFile, ports, datacenters, bandwidth = {} } = options;
    const relay = await startTcpProxy(ports.links);
    const dataDir = join(options.directory, name);
    const imgapiOptions = {
      ...{ name, dataDir, accountsFile, bandwidth },
      ...{ port: ports.imgapi, linksPort: ports.links, linksPublicUrl: relay.url },
    };
    const imgapi = await startImgapi(imgapiOptions);
    const common = { name, dataDir, accountsFile, datacenters };
    const cloudapi = await startCloudapi({ ...common, port: ports.cloudapi, imgapiUrl: imgapi.url });
    return new Datacenter(imgapiOptions, relay, imgapi, cloudapi);
  }

  get imgapiUrl(): string {
    return this.#imgapi.url;
  }

  get cloudapiUrl(): string {
    return this.#cloudapi.url;
  }

  async killImgapi(): Promise<void> {
    await end(this.#imgapi.child, 'SIGKILL');
  }

  async restartImgapi(): Promise<void> {
    this.#imgapi = await startImgapi(this.#options);
  }

  async stop(): Promise<void> {
    await end(this.#cloudapi.child, 'SIGTERM');
    await end(this.#imgapi.child, 'SIGTERM');
    await this.relay.close();
  }
}
