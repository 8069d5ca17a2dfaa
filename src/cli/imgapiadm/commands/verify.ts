/** `imgapiadm verify`: reads stored files again and compares their hashes. */

import type { FileFinding, VerifyLine, VerifySummary } from '#lib/api/schemas/maintenance.ts';
import { CommandError, usageError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { formatBytes } from '../../output/bytes.ts';
import { printable } from '../../output/printable.ts';
import { IMAGE_ARGUMENT, imageUuids } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';
import { FILES_PATIENCE, SHORT_PATIENCE } from '../connection/patience.ts';

const COLUMNS: ColumnSet<FileFinding> = {
  uuid: { title: 'UUID', value: ({ uuid }) => uuid },
  name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
  file: { title: 'FILE', value: ({ file }) => file },
  status: { title: 'STATUS', value: ({ status }) => status },
  since: { title: 'SINCE_UTC', value: ({ found_at: at }) => secondOf(at) },
  checked: { title: 'CHECKED_UTC', value: ({ checked_at: at }) => secondOf(at) },
  size: { title: 'BYTES', align: 'right', value: ({ size }) => String(size) },
  stor: { title: 'STOR', value: ({ stor }) => stor },
  quarantined: { title: 'QUARANTINED', value: ({ quarantined }) => (quarantined ? 'yes' : 'no') },
  kept: { title: 'KEPT', value: ({ kept }) => kept },
  repair: { title: 'NOT_REPAIRED', value: ({ repair }) => repair?.problem, shrinks: true },
  message: { title: 'MESSAGE', value: ({ message }) => message, shrinks: true },
};
const USUAL = ['uuid', 'name', 'file', 'status', 'since', 'repair', 'message'] as const;

const GOOD: readonly string[] = ['ok', 'repaired'];

export const verify = defineCommand({
  name: 'verify',
  summary: 'read stored files again and find those that are damaged',
  description: [
    'Every file is read and its size and hashes are compared with the record. A file is ok, missing, of another size, of another hash, repaired or unrepairable. Files in an object store that does not answer are passed over, and it is said once. The exit status is 1 when a file is damaged and was not repaired, or was passed over; 4 when an image that was named has no file here.',
    `-H, -o and -s are for --findings. Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: { IMAGE: { count: 'any', help: `${IMAGE_ARGUMENT.help} Default: all images.` } },
  options: {
    repair: { type: 'flag', help: 'Fetch what is damaged from a linked datacenter that holds the same bytes.' },
    findings: { type: 'flag', help: 'Read nothing; list what is known to be damaged (see imgapiadm scrub).' },
    quiet: { type: 'flag', short: 'q', help: 'Leave out files that are ok.' },
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'imgapiadm verify --quiet', what: 'all files, for a nightly run' },
    { command: 'imgapiadm verify --findings', what: 'what the last passes found' },
    { command: 'imgapiadm verify 0965c1f4-6995-c095-ecb5-c1a80be2b08e --repair', what: 'mend one image' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { repair, quiet, findings } = options;
    if (findings) {
      const columns = chooseColumns(COLUMNS, options, USUAL);
      const found = await (await context.operator(SHORT_PATIENCE)).adminListFindings({ signal });
      if (json) output.jsonLines(columns.sorted(found));
      else if (found.length > 0) printTable(output, columns, found, options);
      return found.length > 0 ? EXIT.failed : EXIT.ok;
    }
    if (options.columns.length > 0 || options.sort.length > 0 || options['no-header']) {
      throw usageError('-H, -o and -s are for --findings: files are told as they are read');
    }
    // An operator verifies the files of all owners; the account only says how names are looked up.
    const uuids = await imageUuids(await context.client(), given, { account: await context.account(), signal });
    const chosen = { ...(repair && { repair }), ...(uuids.length > 0 && { uuid: uuids }) };
    const operator = await context.operator(FILES_PATIENCE);
    const seen = new Set<string>();
    let bad = 0;
    let isPartly = false;
    let summary: VerifySummary['summary'] | undefined;
    for await (const line of operator.adminVerify({ ...chosen, signal })) {
      if (json) output.json(line);
      if ('summary' in line) summary = line.summary;
      else if ('store' in line) {
        isPartly = true;
        if (!json) output.note(printable(`files in the store "${line.store}" were not read: ${line.message}`));
      } else {
        seen.add(line.uuid);
        if (!GOOD.includes(line.status)) bad++;
        if (!json && !(quiet && line.status === 'ok')) output.line(lineText(line));
      }
    }
    if (!summary) throw brokenOff();
    if (!json) output.line(summaryText(summary));
    if (isPartly) return EXIT.failed;
    const absent = uuids.filter((uuid) => !seen.has(uuid));
    for (const uuid of absent) output.note(`image ${uuid} has no file here`);
    if (bad > 0) return EXIT.failed;
    return absent.length > 0 ? EXIT.notFound : EXIT.ok;
  },
});

function lineText({
  uuid,
  name = '',
  file,
  status,
  message,
}: Omit<VerifyLine, 'status'> & { readonly status: string }): string {
  const detail = message === undefined ? '' : `: ${message}`;
  return printable(`${uuid} ${file} ${name}: ${status}${detail}`);
}

/** `2017-10-17T21:00:05` */
function secondOf(date: string): string {
  return date.replace(/\.\d+Z$/, '');
}

/** `12 files, 3.1 GiB: 11 ok, 1 hash` */
function summaryText({ files, bytes, ...counts }: VerifySummary['summary']): string {
  const found = Object.entries(counts).flatMap(([status, count]) =>
    count > 0 ? [`${count} ${printable(status)}`] : [],
  );
  const size = bytes === undefined ? '' : `, ${formatBytes(bytes)}`;
  return `${files === 1 ? '1 file' : `${files ?? 0} files`}${size}${found.length > 0 ? `: ${found.join(', ')}` : ''}`;
}

function brokenOff(): CommandError {
  return new CommandError('the server stopped before all files were read; see its log', { code: 'VerifyIncomplete' });
}
