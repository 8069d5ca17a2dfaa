/** Writes all images so that today's IMGAPI can read them: a dump of its bucket, or a data folder. */
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { completeMd5s } from '../../images/files/late-md5.ts';
import type { Service } from '../../service/service.ts';
import { exportedRecord, isSharedByLogin } from './exported-record.ts';

export interface ExportProblem {
  readonly uuid: string;
  readonly why: string;
}

export interface ExportTarget {
  /** Returns why the image cannot be used where it goes. */
  write(record: ImageRecord, signal: AbortSignal): Promise<string | undefined>;
  /** Makes what was written durable, and visible under its name. Returns what is there besides, and would be served. */
  finish(): Promise<readonly ExportProblem[]>;
}

export interface ExportReport {
  readonly images: number;
  /** What is left out because it is no image yet, or no longer. */
  readonly left_out: number;
  readonly problems: readonly ExportProblem[];
  /** Images that accounts may use by a login, of which today's IMGAPI knows nothing. */
  readonly shared_by_login: readonly string[];
}

export async function exportImages(service: Service, target: ExportTarget, signal: AbortSignal): Promise<ExportReport> {
  // Today's IMGAPI has one of each file.
  await completeMd5s(service, signal);
  let images = 0;
  let leftOut = 0;
  const problems: ExportProblem[] = [];
  const sharedByLogin: string[] = [];
  for await (const found of service.store.scan(IMAGES, {}, { signal })) {
    for (const { value } of found) {
      signal.throwIfAborted();
      const record = exportedRecord(value);
      if (!record) {
        leftOut += 1;
        continue;
      }
      images += 1;
      if (isSharedByLogin(value)) sharedByLogin.push(value.uuid);
      const why = await target.write(record, signal);
      if (why !== undefined) problems.push({ uuid: value.uuid, why });
    }
  }
  problems.push(...(await target.finish()));
  return { images, left_out: leftOut, problems, shared_by_login: sharedByLogin };
}
