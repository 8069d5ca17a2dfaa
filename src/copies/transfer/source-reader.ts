/** Manifests of one source for one request: each is asked for once, and errors become answers for the caller. */

import { ApiError } from '../../../lib/api/errors/api-error.ts';
import { ERRORS, type ErrorCode } from '../../../lib/api/errors/registry.ts';
import { foreignMessage } from '../../datacenters/sources/remote-failure.ts';
import type { ImageSource, SourceImage } from '../../datacenters/sources/source.ts';
import { failureOf } from './retry.ts';

/** How long a request waits for one manifest. */
const TIMEOUT_MS = 30_000;

export class SourceReader {
  readonly source: ImageSource;
  /** As whom the source is asked; absent: as operator. */
  readonly account: string | undefined;
  readonly #signal: AbortSignal;
  readonly #images = new Map<string, Promise<SourceImage | undefined>>();

  constructor(source: ImageSource, account: string | undefined, signal: AbortSignal) {
    this.source = source;
    this.account = account;
    this.#signal = signal;
  }

  /** Undefined when the source has none, or shows none to the account. @throws ApiError */
  find(uuid: string): Promise<SourceImage | undefined> {
    let image = this.#images.get(uuid);
    if (!image) {
      image = this.#ask(uuid);
      this.#images.set(uuid, image);
    }
    return image;
  }

  /** @throws ApiError: what the source answered, or 503 RemoteSourceError */
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
      throw sourceProblem(error, this.source.name);
    }
  }
}

/** Answers of the source about the caller's own request; all else is between the two datacenters. */
const PASSED_ON: readonly ErrorCode[] = ['ResourceNotFound', 'Forbidden', 'TooManyRequests', 'InvalidParameter'];

/** What a caller is told when a source did not do as asked. */
export function sourceProblem(error: unknown, source: string): ApiError {
  if (error instanceof ApiError) return error;
  const { name, code } = asRemoteError(error);
  const message = foreignMessage(error);
  const known = name === 'ImgapiError' ? PASSED_ON.find((passed) => passed === code && passed in ERRORS) : undefined;
  if (known) return new ApiError(known, message, { cause: error });
  if (code === 'UnauthorizedError') {
    // It may be linked with us no more, or never have been: no later try would help.
    const hint = `check with: imgapiadm datacenters check ${source}; link with: imgapiadm link-dc ${source} URL --token TOKEN`;
    return new ApiError('RemoteSourceError', `datacenter "${source}" does not accept ours: ${message}; ${hint}`, {
      cause: error,
    });
  }
  return new ApiError('RemoteSourceError', `datacenter "${source}" could not be asked: ${message}`, { cause: error });
}

function asRemoteError(error: unknown): { name: string; code: unknown } {
  if (!(error instanceof Error)) return { name: '', code: undefined };
  const { code }: { code?: unknown } = error as Error & { code?: unknown };
  return { name: error.name, code };
}
