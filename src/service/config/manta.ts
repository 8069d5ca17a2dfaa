/** The section `manta`: the account in Manta that keeps image files, with the keys of today's IMGAPI. */
import { problem } from './schema.ts';

export interface MantaConfig {
  readonly url: string;
  /** Login of the account. */
  readonly user: string;
  readonly subuser?: string;
  /** Path of the private key. */
  readonly key: string;
  /** Its fingerprint: MD5 in hex with colons, or SHA256 in base64. */
  readonly keyId: string;
  /** Folder below the account's `stor`. */
  readonly baseDir: string;
  readonly insecure: boolean;
  /** Of the CA, if Node.js does not know it. */
  readonly caFile?: string;
  readonly copies: number;
  readonly maxConnections: number;
  readonly timeoutSeconds: number;
}

interface WithManta {
  readonly storageTypes: readonly string[];
  readonly manta?: MantaConfig;
}

/** What the schema cannot say of it. */
export function mantaRules({ storageTypes, manta }: WithManta): string[] {
  if (!storageTypes.includes('manta')) return [];
  if (manta === undefined) return ['manta: missing; storageTypes names it'];
  const { pathname, search } = new URL(manta.url);
  if (pathname === '/' && search === '') return [];
  return [problem('manta.url', manta.url, 'the URL of Manta without a path')];
}

export function notesOnManta({ storageTypes, manta }: WithManta): string[] {
  if (manta === undefined) return [];
  if (!storageTypes.includes('manta')) return ['manta: not used, because storageTypes does not name it'];
  const notes: string[] = [];
  if (manta.insecure) notes.push('manta.insecure: the certificate of Manta is not verified');
  if (manta.caFile !== undefined && (manta.insecure || manta.url.startsWith('http://'))) {
    notes.push(`manta.caFile: not used; ${manta.insecure ? 'manta.insecure is true' : 'manta.url is http://'}`);
  }
  return notes;
}

/** Whether a key's MD5 fingerprint, or its SHA256 one, is what an operator wrote as its id. */
export function isKeyId(keyId: string, { md5, sha256 }: { readonly md5: string; readonly sha256: string }): boolean {
  return keyId.replace(/^MD5:/i, '').toLowerCase() === md5 || keyId === sha256;
}
