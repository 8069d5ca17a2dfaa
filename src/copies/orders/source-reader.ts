/** Reads manifests from one source for one request: each only once, with errors turned into answers for the caller. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { remoteFailure } from '../../datacenters/peers/remote-failure.ts';
import type { ImageSource, SourceImage } from '../../datacenters/sources/source.ts';
import { failureOf } from '../documents/failure-of.ts';

/** How long a request waits for one manifest. */
const TIMEOUT_MS = 30_000;

export class SourceReader {
  readonly source: ImageSource;
  /** The account that the source is asked for; absent for an operator. */
  readonly account: string | undefined;
  readonly #signal: AbortSignal;
  readonly #images = new Map<string, Promise<SourceImage | undefined>>();

  constructor(source: ImageSource, account: string | undefined, signal: AbortSignal) {
    this.source = source;
    this.account = account;
    this.#signal = signal;
  }

  /** Undefined if the source has no such image, or does not show it to the account. @throws ApiError */
  find(uuid: string): Promise<SourceImage | undefined> {
    let image = this.#images.get(uuid);
    if (!image) {
      image = this.#ask(uuid);
      this.#images.set(uuid, image);
    }
    return image;
  }

  /** @throws ApiError: the source's own error, or 503 RemoteSourceError */
  async get(uuid: string): Promise<SourceImage> {
    const image = await this.find(uuid);
    if (image) return image;
    throw new ApiError('ResourceNotFound', `image "${uuid}" not found in datacenter "${this.source.name}"`);
  }

  async #ask(uuid: string): Promise<SourceImage | undefined> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      return await this.source.getImage(uuid, this.account, signal);
    } catch (error) {
      if (failureOf(error).code === 'SourceGone') return undefined;
      // A URL was named by the request itself, so what is wrong with it is the request's.
      throw remoteFailure(error, this.source.kind === 'url' ? 'source' : 'datacenter', this.source.name, this.account);
    }
  }
}
