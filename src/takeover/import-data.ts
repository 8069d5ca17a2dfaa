/**
 * Takes over the images of another IMGAPI: all of them, or what is new since the last time. Nothing that is there is
 * dropped silently, and nothing that was changed here is undone. Any number of servers may run beside it.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { InvalidValueError, UniqueAttributeError } from '#lib/documents/errors.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { ObjectNotFoundError, ObjectTruncatedError } from '#lib/objects/errors.ts';
import { loadRaw } from '../images/record/load.ts';
import { askForReload } from '../imgapi/auth-keys.ts';
import type { Service } from '../service/service.ts';
import { bringImage } from './images/bring-image.ts';
import { candidateOf } from './images/candidate.ts';
import { type Decision, decide } from './images/decide.ts';
import { findObjects } from './images/objects.ts';
import { originsFirst } from './images/order.ts';
import { type StagedObject, stageObject, type WantedObject } from './images/stage-object.ts';
import { importKeys } from './import-keys.ts';
import type { ImportReport, LeftImage, Problem, TakenImage } from './report.ts';
import { type DataSource, UnreadableError } from './sources/data-source.ts';

export interface ImportOptions {
  readonly dryRun: boolean;
  /** Also what was imported before and deleted here since. */
  readonly evenDeleted: boolean;
  /** That of images without any, where there are channels. */
  readonly channel: string | undefined;
  readonly signal: AbortSignal;
  readonly onImage?: (image: TakenImage) => void;
}

/** Images at once. */
const AT_ONCE = 3;

/** @throws what keeps all images from being imported: a store that is down or full, a source that is gone */
export async function importData(service: Service, source: DataSource, options: ImportOptions): Promise<ImportReport> {
  const run = new ImportRun(service, source, options);
  await run.images();
  const keys = await importKeys(service, source, options.dryRun);
  if (keys.users.length > 0 && !options.dryRun) await askForReload(service.store);
  const report = run.report();
  const left = keys.left.map((file) => `${file}: its keys are left out; it must be a file, of a megabyte at most`);
  return {
    ...{ source: source.name, dry_run: options.dryRun },
    ...{ ...report, remarks: [...report.remarks, ...left] },
    keys: keys.users,
  };
}

interface Listing {
  readonly where: string;
  readonly origin: string | undefined;
}

class ImportRun {
  readonly #service: Service;
  readonly #source: DataSource;
  readonly #options: ImportOptions;
  readonly #listed = new Map<string, Listing>();
  /** Whether each is here afterwards; never rejects. */
  readonly #results = new Map<string, Promise<boolean>>();
  readonly #problems: Problem[] = [];
  readonly #taken: TakenImage[] = [];
  readonly #left: LeftImage[] = [];
  readonly #remarks: string[] = [];
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  #same = 0;

  constructor(service: Service, source: DataSource, options: ImportOptions) {
    this.#service = service;
    this.#source = source;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal]);
  }

  report(): Omit<ImportReport, 'source' | 'dry_run' | 'keys'> {
    return {
      images: this.#taken,
      same: this.#same,
      left: this.#left,
      problems: this.#problems,
      remarks: this.#remarks,
    };
  }

  async images(): Promise<void> {
    for await (const { where, uuid, origin, problem } of this.#source.list(this.#signal)) {
      this.#signal.throwIfAborted();
      if (problem === undefined && uuid !== undefined) this.#listed.set(uuid, { where, origin });
      else this.#problems.push({ where, ...(uuid !== undefined && { uuid }), reasons: [problem ?? 'it has no uuid'] });
    }
    const { order, circles } = originsFirst(new Map([...this.#listed].map(([uuid, { origin }]) => [uuid, origin])));
    for (const uuid of circles) this.#refuse(uuid, ['it is its own origin, directly or through others']);
    for (const uuid of circles) this.#results.set(uuid, Promise.resolve(false));
    await this.#all(order);
  }

  async #all(order: readonly string[]): Promise<void> {
    const running = new Set<Promise<unknown>>();
    let fatal: { readonly error: unknown } | undefined;
    for (const uuid of order) {
      if (fatal) break;
      const result = this.#one(uuid).catch((error: unknown) => {
        fatal ??= { error };
        this.#ending.abort(error);
        return false;
      });
      this.#results.set(uuid, result);
      const ended = result.finally(() => running.delete(ended));
      running.add(ended);
      if (running.size >= AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
    if (fatal) throw fatal.error;
  }

  /** Returns whether it is here then. */
  async #one(uuid: string): Promise<boolean> {
    this.#signal.throwIfAborted();
    const origin = this.#listed.get(uuid)?.origin;
    if (origin !== undefined && !(await (this.#results.get(origin) ?? this.#isHere(uuid, origin)))) {
      this.#refuse(uuid, [`its origin ${origin} was not imported`]);
      return false;
    }
    try {
      return await this.#take(uuid);
    } catch (error) {
      if (!isOfTheImage(error) || this.#signal.aborted) throw error;
      this.#refuse(uuid, [messageOf(error)]);
      return false;
    }
  }

  async #take(uuid: string): Promise<boolean> {
    const { channel, evenDeleted } = this.#options;
    const { form } = this.#source;
    const fields = await this.#source.read(uuid, this.#signal);
    const { record, problems } = candidateOf(this.#service, fields, { form, channel });
    if (!record) {
      this.#refuse(uuid, problems);
      return false;
    }
    // It was looked for by what the list said.
    if (record.origin !== this.#listed.get(uuid)?.origin) {
      throw new UnreadableError('its origin is not what the list says; import it again');
    }
    const decision = await decide(this.#service, record, { evenDeleted });
    switch (decision.kind) {
      case 'same':
        this.#same += 1;
        return true;
      case 'left':
        this.#left.push({ uuid, why: decision.why });
        return (await loadRaw(this.#service, uuid)) !== undefined;
      case 'refused':
        this.#refuse(uuid, [decision.why]);
        // It is here all the same.
        return true;
      default:
        await this.#bring(record, decision);
        return true;
    }
  }

  async #bring(record: ImageRecord, decision: Decision & { readonly kind: 'new' | 'update' }): Promise<void> {
    const { dryRun } = this.#options;
    const { here, kind } = decision;
    const signal = this.#signal;
    const { placed, missing } = await findObjects(this.#service, this.#source, record, {
      ...{ here: kind === 'update' ? here?.value : undefined, hashes: !dryRun, signal },
    });
    let linked = 0;
    if (!dryRun) {
      await this.#withStaged(missing, async (staged) => {
        linked = staged.filter(({ isLinked }) => isLinked).length;
        await bringImage(this.#service, record, { placed, staged }, here);
      });
    }
    const { uuid, name, version } = record;
    const result = kind === 'new' ? 'imported' : 'updated';
    const taken = { linked, copied: missing.length - linked, in_place: placed.size };
    const image: TakenImage = { uuid, name, version, result, ...taken };
    this.#taken.push(image);
    this.#options.onImage?.(image);
  }

  #withStaged(
    missing: readonly WantedObject[],
    use: (staged: readonly StagedObject[]) => Promise<void>,
    staged: readonly StagedObject[] = [],
  ): Promise<void> {
    const [next, ...rest] = missing;
    if (!next) return use(staged);
    return stageObject(this.#service, next, this.#signal, (one) => this.#withStaged(rest, use, [...staged, one]));
  }

  /** An origin that does not come is no reason to leave an image behind: it was so there. */
  async #isHere(uuid: string, origin: string): Promise<boolean> {
    if (await loadRaw(this.#service, origin)) return true;
    if (this.#problems.some((problem) => problem.uuid === origin)) return false;
    this.#remarks.push(`image ${uuid}: its origin ${origin} is neither there nor here`);
    return true;
  }

  #refuse(uuid: string, reasons: readonly string[]): void {
    const { where } = this.#listed.get(uuid) ?? { where: uuid };
    this.#problems.push({ where, uuid, reasons });
  }
}

/** Whether only this image cannot be imported. */
function isOfTheImage(error: unknown): boolean {
  const known = [UnreadableError, ApiError, ImgapiError, UniqueAttributeError, InvalidValueError];
  if (known.some((type) => error instanceof type)) return true;
  if (error instanceof ObjectNotFoundError || error instanceof ObjectTruncatedError) return true;
  // A server that cannot be reached has no other images either; one that breaks off in the midst of a file may.
  if (error instanceof ImgapiUnreachableError) return error.fault !== 'connect' && error.fault !== 'connect-timeout';
  const { syscall, code = '' } = error as NodeJS.ErrnoException;
  // Of the source's files: those of our own stores have errors of their own.
  return syscall !== undefined && ['EACCES', 'EPERM', 'EIO', 'ENOENT', 'ELOOP', 'ENOTDIR', 'EISDIR'].includes(code);
}

function messageOf(error: unknown): string {
  const { message, errors = [] } = error as ApiError;
  const details = Array.isArray(errors) ? errors.map(({ message: detail = '' }) => detail).filter(Boolean) : [];
  return details.length > 0 ? `${message}: ${details.join('; ')}` : message;
}
