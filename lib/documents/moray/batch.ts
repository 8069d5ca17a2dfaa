/** Batches: the writes in Moray's form, and what Moray's refusals mean. */
import { EtagConflictError, StoreUnavailableError, UniqueAttributeError } from '../errors.ts';
import type { EtagSource } from '../sql/etags.ts';
import type { Write } from '../store.ts';
import { retryOnConflict } from '../update.ts';
import type { MorayCalls, Operation } from './calls.ts';
import { isInTheWay, MorayError } from './failure.ts';
import type { Layout } from './layout.ts';
import { oneOfKeys } from './morays-filter.ts';
import { morayName } from './names.ts';
import { etagOf, fromMoray, morayEtag, toMoray } from './value.ts';

interface Prepared {
  readonly write: Write;
  readonly layout: Layout;
  readonly stamp: string;
  readonly operation: Operation;
}

/** Blind writes that got in each other's way are tried so often. */
const ATTEMPTS = 10;

export class Batch {
  readonly #calls: MorayCalls;
  readonly #writes: readonly Prepared[];

  /** Reads the writes. @throws InvalidValueError */
  constructor(calls: MorayCalls, writes: readonly Write[], layoutOf: (bucket: string) => Layout, stamps: EtagSource) {
    this.#calls = calls;
    this.#writes = writes.map((write) => prepare(write, layoutOf(write.bucket.name), stampOf(write) ?? stamps.next()));
  }

  /** The etags, in order. @throws EtagConflictError, UniqueAttributeError, MorayError */
  async carryOut(): Promise<string[]> {
    try {
      const etags = await retryOnConflict(() => this.#calls.batch(this.#writes.map(({ operation }) => operation)), {
        attempts: ATTEMPTS,
        isConflict: (error) => isInTheWay(error) || this.#isLostRace(error),
      });
      return this.#writes.map(({ write, stamp }, at) => (write.op === 'put' ? etagOf(etags[at] ?? '', stamp) : ''));
    } catch (error) {
      throw error instanceof MorayError ? await this.#meaning(error) : error;
    }
  }

  /**
   * Somebody else created at the same moment what one of the writes would have created, whatever is there. The error does not say in
   * which bucket; if it was a write with a condition, Moray says so the next time.
   */
  #isLostRace(error: unknown): boolean {
    if (!(error instanceof MorayError) || !isTakenKey(error)) return false;
    const mayHaveLost = this.#writes.filter(({ write }) => write.op === 'put' && write.key === error.text('value'));
    return mayHaveLost.length === 0 || mayHaveLost.some(({ write }) => write.ifEtag === undefined);
  }

  async #meaning(error: MorayError): Promise<unknown> {
    if (error.is('EtagConflictError', 'ObjectNotFoundError')) return this.#conflict(error, error.text('key'));
    if (!error.is('UniqueAttributeError')) return error;
    if (isTakenKey(error)) return this.#conflict(error, error.text('value'));
    return this.#collision(error);
  }

  async #conflict(error: MorayError, key: string): Promise<unknown> {
    const bucket = error.text('bucket');
    const refused = this.#writes.find(
      ({ write, layout }) =>
        write.key === key && write.ifEtag !== undefined && (bucket === '' || layout.bucket === bucket),
    );
    if (refused === undefined) return error;
    const { write, layout } = refused;
    const current = await this.#calls.get(layout.bucket, key);
    const actual = current ? fromMoray(current).etag : null;
    return new EtagConflictError(write.bucket.name, key, write.ifEtag ?? null, actual);
  }

  /** The error does not say in which bucket. */
  #collision(error: MorayError): unknown {
    const column = error.text('attribute');
    const value = error.text('value');
    const layouts = this.#writes.flatMap(({ operation, layout }) => {
      if (operation.operation !== 'put') return [];
      const field = layout.fieldOfColumn(column);
      const isUnique = layout.declaration.index[field]?.unique === true;
      return isUnique && String(operation.value[morayName(field)]) === value ? [layout] : [];
    });
    const layout = layouts[0] ?? this.#writes[0]?.layout;
    if (layout === undefined) return new StoreUnavailableError(error.message, { cause: error });
    return new UniqueAttributeError(layout.name, layout.fieldOfColumn(column), { cause: error });
  }
}

/** Our etags end with the stamp. */
function stampOf(write: Write): string | undefined {
  return write.op === 'put' ? write.as?.etag : undefined;
}

function isTakenKey(error: MorayError): boolean {
  return error.is('UniqueAttributeError') && error.text('attribute') === '_key';
}

function prepare(write: Write, layout: Layout, stamp: string): Prepared {
  return { write, layout, stamp, operation: operationOf(write, layout, stamp) };
}

function operationOf(write: Write, layout: Layout, stamp: string): Operation {
  const { key } = write;
  const { bucket } = layout;
  if (write.op === 'put') {
    const value = toMoray(layout, write.value, stamp);
    const { ifEtag } = write;
    const etag = typeof ifEtag === 'string' ? morayEtag(ifEtag) : ifEtag;
    return { bucket, operation: 'put', key, value, options: { ...(etag !== undefined && { etag }) } };
  }
  if (write.ifEtag !== undefined) {
    return { bucket, operation: 'delete', key, options: { etag: morayEtag(write.ifEtag) } };
  }
  // To delete what is not there is an error in Moray, except by a filter.
  return { bucket, operation: 'deleteMany', filter: oneOfKeys([key]), options: { limit: 1 } };
}
