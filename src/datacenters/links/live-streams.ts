/**
 * The open streams over links, in both directions. When a link ends they are cut: at once in the process that ends it,
 * and within a second in the others that share its store.
 */
import type { Readable } from 'node:stream';
import type { Service } from '../../service/service.ts';
import { LinkEndedError } from '../peers/errors.ts';
import type { LinkRecord } from './documents.ts';
import { findLink } from './links.ts';

const LOOK_MS = 1000;

interface Live {
  readonly stream: Readable;
  /** When the link was made: distinguishes it from an earlier link with the same datacenter. */
  readonly since: string;
}

const registers = new WeakMap<Service['config'], LiveStreams>();

/** Returns the stream, which is now cut when the link ends. */
export function endWithLink<T extends Readable>(service: Service, link: LinkRecord, stream: T): T {
  streamsOf(service).add(link.name, { stream, since: link.created_at });
  return stream;
}

/** To be called when the link has ended. */
export function cutStreams(service: Service, datacenter: string): void {
  streamsOf(service).cut(datacenter, () => true);
}

function streamsOf(service: Service): LiveStreams {
  const known = registers.get(service.config) ?? new LiveStreams(service);
  registers.set(service.config, known);
  return known;
}

class LiveStreams {
  readonly #service: Service;
  readonly #live = new Map<string, Set<Live>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(service: Service) {
    this.#service = service;
  }

  add(datacenter: string, live: Live): void {
    const streams = this.#live.get(datacenter) ?? new Set();
    this.#live.set(datacenter, streams.add(live));
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS).unref();
    live.stream.once('close', () => this.#forget(datacenter, live));
  }

  cut(datacenter: string, isOver: (live: Live) => boolean): void {
    for (const live of this.#live.get(datacenter) ?? []) {
      if (isOver(live)) live.stream.destroy(new LinkEndedError(datacenter));
    }
  }

  #forget(datacenter: string, live: Live): void {
    const streams = this.#live.get(datacenter);
    streams?.delete(live);
    if (streams?.size === 0) this.#live.delete(datacenter);
    if (this.#live.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    try {
      for (const datacenter of [...this.#live.keys()]) {
        const since = (await findLink(this.#service, datacenter))?.value.created_at;
        this.cut(datacenter, (live) => live.since !== since);
      }
    } catch (err) {
      // The store is down, so we cannot tell; the next look comes in a second.
      this.#service.log.debug({ err }, 'links not looked at');
    }
  }
}
