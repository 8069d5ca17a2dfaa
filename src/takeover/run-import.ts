/** An import as a command runs it: on the stores of a configuration, and noted in the data folder that it is about. */
import { realpath } from 'node:fs/promises';
import { ifThere } from '#lib/runtime/absence.ts';
import type { Config } from '../service/config/config.ts';
import { noteImported, todaysRecords } from '../service/todays-records.ts';
import { type ImportOptions, importData } from './import-data.ts';
import type { ImportReport } from './report.ts';
import type { DataSource } from './sources/data-source.ts';
import { withService } from './with-service.ts';

export function runImport(config: Config, source: DataSource, options: ImportOptions): Promise<ImportReport> {
  return withService(config, async (service) => {
    const { dataDir } = config;
    const before = await todaysRecords(dataDir);
    const report = await importData(service, source, options);
    const isOwn = (await ifThere(realpath(dataDir))) === source.name;
    if (before && isOwn && !options.dryRun) await noteImported(dataDir, before, report.problems.length);
    return report;
  });
}
