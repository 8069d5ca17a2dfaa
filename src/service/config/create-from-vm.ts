/** What images are made from machines with: VMAPI and CNAPI, with the keys of today's IMGAPI, and a section of our own. */
import { join, resolve } from 'node:path';

export interface CreateFromVmKeys {
  readonly vmapi?: { readonly url: string };
  readonly cnapi?: { readonly url: string };
  /** Whether images are made from machines without Manta or S3. */
  readonly allowLocalCreateImageFromVm: boolean;
  /** What a node must have at least: release and build stamp. */
  readonly minImageCreationPlatform: readonly [release: string, stamp: string];
  readonly placeholderImageLifespanDays: number;
  readonly createFromVm: {
    /** Where nodes reach this service, if not at `publicUrl` or `adminIp`. */
    readonly imgapiUrl?: string;
    /** Folder with a script `OS-prepare-image` for each OS. */
    readonly scripts: string;
    readonly giveUpAfterSeconds: number;
  };
}

type Section = CreateFromVmKeys['createFromVm'];
export type GivenCreateFromVm = Omit<Section, 'scripts'> & Partial<Section>;

/** In the data folder, unless `createFromVm.scripts` names another one. */
export const SCRIPTS = 'prepare-image';

/** @param given with the schema's defaults */
export function resolveCreateFromVm(given: GivenCreateFromVm, dataDir: string): Section {
  return { ...given, scripts: resolve(given.scripts ?? join(dataDir, SCRIPTS)) };
}

/** One without the other is of no use. */
export function notesOnCreateFromVm({ vmapi, cnapi }: Pick<CreateFromVmKeys, 'vmapi' | 'cnapi'>): string[] {
  if ((vmapi === undefined) === (cnapi === undefined)) return [];
  const [missing, given] = vmapi ? ['cnapi', 'vmapi'] : ['vmapi', 'cnapi'];
  return [`${given}: not used without ${missing}.url; no images are made from machines`];
}
