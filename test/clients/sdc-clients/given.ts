/** What the tests of the client's methods work on. */
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST, sha1Of } from '../../helpers/images.ts';
import { type InProcess, startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import type { Served } from '../modes.ts';
import type { Answer, Refusal } from './client.ts';

export interface MethodTest {
  /** Its arguments, after all that has to be there was made. */
  readonly args: (given: Given) => Promise<readonly unknown[]> | readonly unknown[];
  /** Where it cannot go through, how operators are answered. */
  readonly refusal?: (given: Given) => Refusal | undefined;
  /** Whether servers of this mode have no such route at all, for anybody. */
  readonly isAbsent?: (given: Given) => boolean;
  /** Not only for those who sign. */
  readonly isOpen?: true;
  readonly check: (t: Test, answer: Answer, args: readonly unknown[], given: Given) => Promise<unknown> | unknown;
}

export type MethodTests = Readonly<Record<string, MethodTest>>;

export class Given {
  readonly test: Test;
  readonly served: Served;
  /** Another IMGAPI, without signatures. */
  readonly elsewhere: InProcess;
  readonly #folder: string;

  private constructor(test: Test, served: Served, elsewhere: InProcess, folder: string) {
    this.test = test;
    this.served = served;
    this.elsewhere = elsewhere;
    this.#folder = folder;
  }

  static async in(t: Test, start: (elsewhere: InProcess) => Promise<Served>): Promise<Given> {
    const elsewhere = await startInProcess(t, { datacenterName: 'elsewhere' });
    return new Given(t, await start(elsewhere), elsewhere, await temporaryFolder(t));
  }

  /** Accounts are known in a datacenter only; elsewhere operators act for themselves. */
  get account(): readonly string[] {
    return this.served.mode === 'dc' ? [ALICE] : [];
  }

  /** A path that nothing is at. */
  readonly path = (): string => join(this.#folder, randomUUID());

  async file(bytes: Uint8Array = randomBytes(50_000)): Promise<{ path: string; bytes: Uint8Array; sha1: string }> {
    const path = this.path();
    await writeFile(path, bytes);
    return { path, bytes, sha1: sha1Of(bytes) };
  }

  manifest(): object {
    return { ...MANIFEST, owner: ALICE, ...this.served.visibility };
  }

  async unactivated(): Promise<string> {
    return (await this.served.call('createImage', this.manifest()))['uuid'] as string;
  }

  async withFile(): Promise<{ readonly uuid: string; readonly bytes: Uint8Array }> {
    const uuid = await this.unactivated();
    const { path, bytes } = await this.file();
    await this.served.call('addImageFile', { uuid, file: path, compression: 'none' });
    return { uuid, bytes };
  }

  async active(): Promise<{ readonly uuid: string; readonly bytes: Uint8Array }> {
    const made = await this.withFile();
    await this.served.call('activateImage', made.uuid);
    return made;
  }
}

/** As a method's argument says it. */
export const textOf = (args: readonly unknown[], at = 0): string => String(args[at]);

export async function bytesOf(stream: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
