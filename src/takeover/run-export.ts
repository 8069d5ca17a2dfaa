/** An export as a command runs it. */
import type { Config } from '../service/config/config.ts';
import { dumpTarget } from './export/dump-target.ts';
import { type ExportReport, exportImages } from './export/export-data.ts';
import { folderTarget } from './export/folder-target.ts';
import { withService } from './with-service.ts';

export function runExport(
  config: Config,
  path: string,
  { asFolder, signal }: { readonly asFolder: boolean; readonly signal: AbortSignal },
): Promise<ExportReport> {
  return withService(config, async (service) => {
    if (asFolder) return exportImages(service, await folderTarget(service, path), signal);
    const target = await dumpTarget(path);
    try {
      return await exportImages(service, target, signal);
    } finally {
      await target.discard();
    }
  });
}
