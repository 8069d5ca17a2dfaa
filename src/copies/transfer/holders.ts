/**
 * Other linked datacenters that have the image of a transfer. They are asked as the account that the copy is for, and count only
 * if they show it the same image, of the same owner, with the size and the hashes that the ordered source announced. What they
 * say then is worth no more than that: each of their pieces is verified by itself.
 */
import { allLinks } from '../../datacenters/links/links.ts';
import type { ImageSource, SourceImage } from '../../datacenters/sources/source.ts';
import { linkSource } from '../../datacenters/sources/source-link.ts';
import type { CopiesConfig } from '../../service/config/config.ts';
import type { Service } from '../../service/service.ts';
import type { Transfer } from '../documents/model.ts';
import { isOrderedElsewhere } from '../orders/foreign-shares.ts';
import type { LiveAttempt } from './live-attempt.ts';

/** Beside the ordered source. */
const MOST_HOLDERS = 4;

export class Holders {
  readonly #service: Service;
  readonly #source: ImageSource;
  readonly #live: LiveAttempt;
  #found: Promise<readonly ImageSource[]> | undefined;

  constructor(service: Service, source: ImageSource, live: LiveAttempt) {
    this.#service = service;
    this.#source = source;
    this.#live = live;
  }

  /** Asks them once for all callers. Never rejects: one that does not answer in time has nothing. */
  found(): Promise<readonly ImageSource[]> {
    this.#found ??= this.#find();
    return this.#found;
  }

  async #find(): Promise<readonly ImageSource[]> {
    const { own, signal } = this.#live;
    if (this.#source.kind !== 'link' || own.sha256 === undefined) return [];
    try {
      // Who orders an image here says itself what it is: it must not have bytes brought that it only knows the hashes of.
      if (await isOrderedElsewhere(this.#service, own)) return [];
      const names = (await allLinks(this.#service)).map(({ name }) => name);
      const others = names.filter((name) => name !== own.source && mayServe(this.#service.config.copies, name));
      const asked = others.map((name) => this.#ask(linkSource(this.#service, name), own, this.#live.patience(signal)));
      return (await Promise.all(asked)).flatMap((holder) => holder ?? []).slice(0, MOST_HOLDERS);
    } catch (error) {
      this.#service.log.info({ err: error, image: own.image }, 'no other datacenter was looked for that has the image');
      return [];
    }
  }

  async #ask(holder: ImageSource, own: Transfer, signal: AbortSignal): Promise<ImageSource | undefined> {
    try {
      return isSame(await holder.getImage(own.image, own.account, signal), own) ? holder : undefined;
    } catch (error) {
      this.#service.log.debug({ err: error, image: own.image, datacenter: holder.name }, 'not a source of the pieces');
      return undefined;
    }
  }
}

/** A link with a limit of its own is left to the copies that were ordered from there. */
function mayServe({ holders, bandwidth }: CopiesConfig, name: string): boolean {
  return (holders === undefined || holders.includes(name)) && !Object.hasOwn(bandwidth, name);
}

function isSame({ manifest, files }: SourceImage, { account, sha1, sha256, total }: Transfer): boolean {
  const [file] = files;
  if (!file || files.length > 1 || manifest['owner'] !== account) return false;
  return file.sha1 === sha1 && file.sha256 === sha256 && file.size === total;
}
