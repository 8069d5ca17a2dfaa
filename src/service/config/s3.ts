/** The section `s3`: the bucket, and how to reach it. */
import { MOST_PARTS, type S3Settings } from '#lib/objects/s3/settings.ts';
import { readCaFile } from './ca-file.ts';
import { ConfigError } from './config-error.ts';
import { problem } from './schema.ts';

export interface S3Config {
  /** Absent: Amazon's, by the region. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** What all keys begin with. Default: `imgapi`, and in dc mode the datacenter below it. */
  readonly prefix?: string;
  /** Absent, as is the secret: the SDK's own places. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Absent: true if there is an endpoint. */
  readonly pathStyle?: boolean;
  /** PEM file of the CAs that may have signed the endpoint's certificate. */
  readonly caFile?: string;
  readonly partBytes: number;
  readonly bufferBytes: number;
  readonly connectSeconds: number;
  readonly idleSeconds: number;
}

/** What counts of the whole configuration. */
interface Around {
  readonly s3?: S3Config;
  readonly mode: string;
  readonly datacenterName?: string;
  readonly storageTypes: readonly string[];
  readonly limits: { readonly fileBytes: number };
}

/** @throws ConfigError if the CA file cannot be read */
export async function s3SettingsOf({ s3, mode, datacenterName }: Around): Promise<S3Settings> {
  if (!s3) throw new ConfigError('configuration', ['s3: missing; the storage type "s3" needs it']);
  const { endpoint, region, bucket, accessKeyId, secretAccessKey, caFile } = s3;
  const ca = caFile === undefined ? undefined : await readCaFile('s3.caFile', caFile);
  return {
    region,
    bucket,
    prefix: s3.prefix ?? (mode === 'dc' ? `imgapi/${datacenterName}` : 'imgapi'),
    pathStyle: s3.pathStyle ?? endpoint !== undefined,
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    ...(ca !== undefined && { ca }),
    limits: {
      part: s3.partBytes,
      buffers: s3.bufferBytes,
      connect: s3.connectSeconds * 1000,
      idle: s3.idleSeconds * 1000,
    },
  };
}

/** Rules between the keys of the section, and with others. */
export function checkS3({ s3, storageTypes, limits }: Around): string[] {
  if (!storageTypes.includes('s3')) return [];
  if (!s3) return ['s3: missing; storageTypes names it'];
  const { accessKeyId, secretAccessKey, partBytes, bufferBytes } = s3;
  const found: string[] = [];
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    found.push(
      "s3.accessKeyId, s3.secretAccessKey: only one is given; give both, or neither to use the SDK's own places",
    );
  }
  const least = Math.ceil(limits.fileBytes / MOST_PARTS);
  if (partBytes < least) {
    found.push(
      problem('s3.partBytes', partBytes, `at least ${least}: a file of limits.fileBytes has at most 10,000 parts`),
    );
  }
  if (bufferBytes < partBytes * 2) {
    found.push(problem('s3.bufferBytes', bufferBytes, `at least twice s3.partBytes (${partBytes})`));
  }
  return found;
}

/** What an operator should know about the way there. */
export function notesOnS3({ s3, storageTypes }: Around): string[] {
  if (!s3) return [];
  if (!storageTypes.includes('s3')) return ['s3: not used; storageTypes does not name it'];
  if (s3.endpoint?.startsWith('http://') && s3.caFile !== undefined) {
    return ['s3.caFile: not used; s3.endpoint is http://'];
  }
  return [];
}
