/** Calls to one bucket: each attempt has a deadline, and those that may succeed later are made again. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import { S3Client } from '@aws-sdk/client-s3';
import { timeLimit } from '../../runtime/timers.ts';
import { retrying } from '../retries.ts';
import { isTransient, mayHaveHappened, s3Error } from './s3-error.ts';
import { DEFAULT_LIMITS, type S3Limits, type S3Settings } from './settings.ts';

const LONGEST_PAUSE_MS = 5_000;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** The store may work for a long time before it answers. */
  readonly slow?: boolean;
  /** Bytes that the call writes; for the error that there is no room for them. */
  readonly needed?: number;
  /** Only one attempt. */
  readonly once?: boolean;
  /** Called after an attempt that failed, but of which something may come yet. */
  readonly onDoubt?: (() => void) | undefined;
}

/** The SDK's `send` of one command. */
type Send<Output> = (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<Output>;

export class S3Calls {
  readonly bucket: string;
  readonly limits: S3Limits;
  readonly #quick: S3Client;
  readonly #slow: S3Client;

  constructor(settings: S3Settings) {
    this.bucket = settings.bucket;
    this.limits = { ...DEFAULT_LIMITS, ...settings.limits };
    this.#quick = makeClient(settings, this.limits, this.limits.idle);
    this.#slow = makeClient(settings, this.limits, this.limits.slow);
  }

  /** For what asks the store nothing, such as signing. */
  get client(): S3Client {
    return this.#quick;
  }

  /** Milliseconds by which the store's clock is ahead of ours, as its answers tell. */
  get clockAhead(): number {
    return this.#quick.config.systemClockOffset;
  }

  /** @throws S3Error, InsufficientStorageError, or the signal's reason */
  async call<Output>(operation: string, send: Send<Output>, options: CallOptions = {}): Promise<Output> {
    const { signal, slow = false, needed, once = false, onDoubt } = options;
    const { attempts, backoff, call, slow: long } = this.limits;
    const retries = { attempts: once ? 1 : attempts, firstPause: backoff, longestPause: LONGEST_PAUSE_MS };
    const attempt = async (): Promise<Output> => {
      signal?.throwIfAborted();
      const limit = timeLimit(slow ? long : call);
      const abortSignal = signal ? AbortSignal.any([signal, limit]) : limit;
      try {
        return await send(slow ? this.#slow : this.#quick, { abortSignal });
      } catch (error) {
        if (mayHaveHappened(error)) onDoubt?.();
        throw error;
      }
    };
    try {
      return await retrying(retries, againAfter, attempt, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Error(operation, error, needed);
    }
  }

  close(): void {
    this.#quick.destroy();
    this.#slow.destroy();
  }
}

function againAfter(error: unknown): number | undefined {
  return isTransient(error) ? 0 : undefined;
}

function makeClient(settings: S3Settings, limits: S3Limits, idle: number): S3Client {
  const { endpoint, region, credentials, pathStyle, ca } = settings;
  // As many connections as there are readers; how many of these there may be is decided where they come in.
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return new S3Client({
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    maxAttempts: 1,
    // Checksums beyond the signature's would make streams that several stores refuse.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: limits.connect,
      socketTimeout: idle,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({ ...agent, ...(ca !== undefined && { ca: [...rootCertificates, ca] }) }),
    },
  });
}
