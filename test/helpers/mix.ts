/**
 * Typical requests of clients in a fixed mix and order: single images, lists with many kinds of filters, manifests of
 * 2 to 20 KB that are created, changed and deleted, files of 1 to 4 MiB in both directions, and clients that hang up.
 */
import { createCipheriv } from 'node:crypto';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { ALICE, BOB, CAROL } from './accounts.ts';

const MIB = 2 ** 20;
const OWNERS = [ALICE, BOB, CAROL];
const LARGEST = 4 * MIB;
/** Maximum number of images to keep; beyond it the oldest is deleted. */
const KEPT = 200;
const SIZES = [1 * MIB, 2 * MIB, 3 * MIB, 4 * MIB];

interface Image {
  readonly uuid: string;
  readonly owner: string;
}

type Action = (mix: Mix) => Promise<unknown>;

/** How often each occurs in a hundred requests; an image with a file takes three. */
const ACTIONS: readonly (readonly [times: number, action: Action])[] = [
  [40, (mix) => mix.getImage()],
  [20, (mix) => mix.list()],
  [4, (mix) => mix.make({ withFile: true })],
  [4, (mix) => mix.make({ withFile: false })],
  [8, (mix) => mix.download()],
  [6, (mix) => mix.update()],
  [2, (mix) => mix.leaveUpload()],
  [2, (mix) => mix.leaveDownload()],
  [2, (mix) => mix.leaveList()],
  [4, (mix) => mix.ping()],
];

export interface MixTally {
  requests: number;
  /** Unexpected answers. */
  readonly surprises: Map<string, number>;
}

export class Mix {
  readonly tally: MixTally = { requests: 0, surprises: new Map() };
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #bytes = noise(LARGEST + 1024 * 1024);
  readonly #order: readonly Action[] = shuffled(ACTIONS.flatMap(([times, action]) => Array(times).fill(action)));
  #images: Image[] = [];
  readonly #files: Image[] = [];
  #step = 0;
  /** The state of the random numbers, which are the same in each run. */
  #drawn = 1;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Does the next action: one request, or the few that make an image. */
  async step(): Promise<void> {
    const action = this.#order[this.#step % this.#order.length] as Action;
    this.#step += 1;
    await action(this);
  }

  /** Does this many actions, `atOnce` at a time. */
  async run(steps: number, atOnce: number): Promise<void> {
    const end = this.#step + steps;
    const one = async (): Promise<void> => {
      while (this.#step < end) await this.step();
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Number of images. */
  get images(): number {
    return this.#images.length;
  }

  async getImage(): Promise<void> {
    const image = this.#any(this.#images);
    if (image) await this.#get(`/images/${image.uuid}`);
  }

  async ping(): Promise<void> {
    await this.#get('/ping');
  }

  async list(): Promise<void> {
    await this.#get(this.#listPath());
  }

  async make({ withFile }: { readonly withFile: boolean }): Promise<void> {
    const owner = OWNERS[this.#draw(OWNERS.length)] as string;
    const { body } = await this.#json('POST', `/images?account=${owner}`, this.#manifest(owner));
    const { uuid } = JSON.parse(body) as { uuid: string };
    const image = { uuid, owner };
    if (withFile) {
      const size = this.#size();
      const path = `/images/${uuid}/file?account=${owner}&compression=none`;
      await this.#ask('PUT', path, this.#piece(size), { 'content-type': 'application/octet-stream' });
      await this.#json('POST', `/images/${uuid}?action=activate&account=${owner}`, {});
      this.#files.push(image);
    }
    this.#images.push(image);
    if (this.#images.length > KEPT) await this.#deleteOldest();
  }

  async download(): Promise<void> {
    const image = this.#any(this.#files);
    if (image) await this.#get(`/images/${image.uuid}/file`);
  }

  async update(): Promise<void> {
    const image = this.#any(this.#images);
    if (!image) return;
    const { uuid, owner } = image;
    await this.#json('POST', `/images/${uuid}?action=update&account=${owner}`, { tags: this.#tags() });
  }

  /** Sends only half of the bytes. */
  async leaveUpload(): Promise<void> {
    const owner = ALICE;
    const { body } = await this.#json('POST', `/images?account=${owner}`, this.#manifest(owner));
    const { uuid } = JSON.parse(body) as { uuid: string };
    const size = this.#size();
    const sent = this.#send('PUT', `/images/${uuid}/file?account=${owner}&compression=none`, {
      'content-type': 'application/octet-stream',
      'content-length': String(size),
    });
    await new Promise<void>((resolve) => {
      sent.on('error', () => {});
      sent.once('close', resolve);
      sent.write(this.#piece(size / 2), () => sent.destroy());
    });
    this.#images.push({ uuid, owner });
    if (this.#images.length > KEPT) await this.#deleteOldest();
  }

  async leaveDownload(): Promise<void> {
    const image = this.#any(this.#files);
    if (image) await this.#leave(`/images/${image.uuid}/file`);
  }

  async leaveList(): Promise<void> {
    await this.#leave('/images?state=all');
  }

  async #deleteOldest(): Promise<void> {
    const image = this.#images.shift();
    if (!image) return;
    const at = this.#files.indexOf(image);
    if (at >= 0) this.#files.splice(at, 1);
    await this.#ask('DELETE', `/images/${image.uuid}?account=${image.owner}`);
  }

  #listPath(): string {
    const n = this.#draw(1000);
    const owner = OWNERS[n % 3] as string;
    const shapes = [
      `/images?limit=20&account=${owner}`,
      `/images?limit=${5 + (n % 40)}&state=all`,
      `/images?name=mix-${n % 50}`,
      `/images?name=~mix-${n % 10}&limit=10`,
      `/images?owner=${owner}&type=zone-dataset&limit=${1 + (n % 30)}`,
      `/images?tag.key-${n % 20}=v${n % 7}&limit=20`,
      `/images?tag.key-0&tag.key-${n % 9}=v1&os=linux&limit=5`,
      `/images?state=all&version=1.${n}.0`,
      '/images?state=all',
    ];
    return shapes[this.#draw(shapes.length)] as string;
  }

  #manifest(owner: string): object {
    const n = this.#draw(1_000_000);
    return {
      owner,
      name: `mix-${n % 50}`,
      version: `1.${n % 1000}.0`,
      type: 'zone-dataset',
      os: 'linux',
      description: 'An image of the mix.',
      tags: this.#tags(),
    };
  }

  /** 2 to 20 KB of JSON. */
  #tags(): Record<string, string> {
    const size = 2000 + this.#draw(18_000);
    const text = this.#bytes.toString('base64', this.#draw(1000), 1000 + size);
    const tags: Record<string, string> = { large: text.slice(0, size) };
    for (let key = 0; key < 10; key++) tags[`key-${this.#draw(20)}`] = `v${this.#draw(7)}`;
    return tags;
  }

  #size(): number {
    return SIZES[this.#draw(SIZES.length)] as number;
  }

  #piece(size: number): Buffer {
    const start = this.#draw(MIB);
    return this.#bytes.subarray(start, start + size);
  }

  #any<T>(values: readonly T[]): T | undefined {
    return values[this.#draw(values.length)];
  }

  #draw(below: number): number {
    this.#drawn = (Math.imul(this.#drawn, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (this.#drawn >>> 8) % Math.max(1, below);
  }

  #get(path: string): Promise<Answer> {
    return this.#ask('GET', path);
  }

  #json(method: string, path: string, body: object): Promise<Answer> {
    return this.#ask(method, path, Buffer.from(JSON.stringify(body)), { 'content-type': 'application/json' });
  }

  async #ask(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    const length: Record<string, string> = body ? { 'content-length': String(body.length) } : {};
    const sent = this.#send(method, path, { ...headers, ...length });
    sent.end(body);
    const answer = await answerTo(sent, path.includes('/file'));
    // A 404 is expected, because another client of the mix may have deleted the image meanwhile.
    if (answer.status >= 400 && answer.status !== 404) this.#surprise(`${method} ${answer.status} ${answer.body}`);
    return answer;
  }

  async #leave(path: string): Promise<void> {
    const sent = this.#send('GET', path, {});
    sent.end();
    await new Promise<void>((resolve) => {
      sent.on('error', () => {});
      sent.once('close', resolve);
      sent.once('response', (answer: IncomingMessage) => {
        answer.on('error', () => {});
        answer.once('data', () => sent.destroy());
        answer.once('end', () => sent.destroy());
      });
    });
  }

  #send(method: string, path: string, headers: Record<string, string>): ClientRequest {
    this.tally.requests += 1;
    const { hostname, port } = this.#url;
    return request({
      hostname,
      port,
      method,
      path,
      headers: { ...headers, 'accept-version': '~3' },
      agent: this.#agent,
    });
  }

  #surprise(what: string): void {
    const text = what.slice(0, 200);
    this.tally.surprises.set(text, (this.tally.surprises.get(text) ?? 0) + 1);
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function answerTo(sent: ClientRequest, isFile: boolean): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (answer: IncomingMessage) => {
      const status = answer.statusCode ?? 0;
      const pieces: Buffer[] = [];
      const isKept = !isFile || status >= 400;
      answer.on('data', (piece: Buffer) => {
        if (isKept) pieces.push(piece);
      });
      answer.once('error', reject);
      answer.once('end', () => resolve({ status, body: Buffer.concat(pieces).toString() }));
    });
  });
}

/** Incompressible bytes, the same in each run. */
function noise(size: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** In an order that is the same in each run. */
function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value, at) => ({ value, place: ((at * 7919 + 13) % 104_729) % values.length }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
