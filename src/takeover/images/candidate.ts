/** What a record of another IMGAPI would be here, and what is wrong with it. */
import { ICON_TYPES } from '#lib/api/imgapi/icons.ts';
import { isObject, MANIFEST_FIELDS, RECORD_ONLY_FIELDS } from '#lib/manifest/fields.ts';
import { shown } from '#lib/manifest/problem.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { normalizeStored, recordFields, tagFields } from '#lib/manifest/stored.ts';
import { upgradeManifest } from '#lib/manifest/upgrade.ts';
import { storedRecordProblems } from '#lib/manifest/validate.ts';
import { iconType } from '../../images/files/icons.ts';
import { importedOwner } from '../../images/record/new-record.ts';
import { rulesOf } from '../../images/record/rules.ts';
import { withState } from '../../images/record/state.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { DataSource, Fields } from '../sources/data-source.ts';

export type Candidate =
  | { readonly record: ImageRecord; readonly problems?: never }
  | { readonly record?: never; readonly problems: readonly string[] };

export interface CandidateOptions {
  readonly form: DataSource['form'];
  /** That of images without any, where there are channels. */
  readonly channel: string | undefined;
}

const KNOWN: ReadonlySet<string> = new Set([...MANIFEST_FIELDS, ...RECORD_ONLY_FIELDS]);
/** Of the service that wrote them: what it was about to do, and when. */
const NOT_TAKEN: ReadonlySet<string> = new Set([
  'rev',
  'intent',
  'intent_lease',
  'reserved_by',
  'copy',
  'archive',
  'kept',
]);
/** What version 3 shows of a manifest and no record has. */
const COMPUTED: ReadonlySet<string> = new Set(['owner_login', 'shared_as', 'progress']);
const UNDER_WAY: ReadonlySet<unknown> = new Set(['creating', 'failed']);

export function candidateOf(service: WithConfig, given: Fields, options: CandidateOptions): Candidate {
  const gone = whyNoImage(given, options.form);
  if (gone !== undefined) return { problems: [gone] };
  const fields = recordOf(given, options.form);
  const unknown = Object.keys(fields).filter((field) => !KNOWN.has(field));
  const kept = Object.entries(fields).filter(([field, value]) => !NOT_TAKEN.has(field) && value !== undefined);
  const record = settled(service, Object.fromEntries(kept), options);
  const problems = [
    ...unknown.map((field) => `there is no manifest field "${field}"`),
    ...storedRecordProblems(record, rulesOf(service)).map(({ message }) => message),
    ...objectProblems(record),
  ];
  return problems.length > 0 ? { problems } : { record };
}

/** Of what is told of files and icon, where stored records may be looser than what is served here may be. */
function objectProblems({ files, icon }: ImageRecord): string[] {
  const sizes = Array.isArray(files) ? files.filter(isObject).map(({ size }) => size) : [];
  const wrong = sizes.filter((size) => size && !Number.isSafeInteger(size));
  const problems = wrong.map(
    (size) => `"files" must be an array of files with a number of bytes as "size", not ${shown(size)}`,
  );
  const type = isObject(icon) ? icon['contentType'] : undefined;
  if (typeof type !== 'string' || iconType(type) === type) return problems;
  return [...problems, `"icon" must be of one of the types ${ICON_TYPES.join(', ')}, not ${shown(type)}`];
}

/** Other than an image that does not validate. */
function whyNoImage({ state, copy, kept }: Fields, form: DataSource['form']): string | undefined {
  if (state === 'deleting' && kept) return 'it was deleted there; restore it there first if it is wanted here';
  if (state === 'deleting') return 'it was being deleted';
  if (form === 'served' && state === 'creating') return 'it is still being created there';
  return isObject(copy) ? 'it is the placeholder of a copy from another datacenter, not an image yet' : undefined;
}

function recordOf(given: Fields, form: DataSource['form']): Fields {
  const upgraded = upgradeManifest(given);
  if (form === 'stored' && upgraded === given) {
    return normalizeStored(given as unknown as ImageRecord) as unknown as Fields;
  }
  const { icon, ...manifest } = upgraded;
  const shown = Object.entries(manifest).filter(([field]) => !COMPUTED.has(field));
  const { state } = upgraded;
  const record = {
    activated: state === 'active' || state === 'disabled',
    public: false,
    disabled: false,
    // A server does not show them of an image that was never made.
    ...(state === 'failed' && { type: 'null', os: 'null' }),
    ...recordFields(Object.fromEntries(shown)),
    ...(isObject(icon) && { icon }),
  };
  return normalizeStored(record as unknown as ImageRecord) as unknown as Fields;
}

/** What follows from other fields, and from where it is. */
function settled(service: WithConfig, fields: Fields, { form, channel }: CandidateOptions): ImageRecord {
  const { channels, tags: _tags, tagsObj, protected: isProtected, ...rest } = fields;
  const { mode, channels: known } = service.config;
  const hasChannels = known !== undefined && mode !== 'dc';
  // What a server shows of its channels means nothing where there are none; what was stored here is not dropped silently.
  const own = form === 'served' && !hasChannels ? undefined : channels;
  const put = own ?? (hasChannels && channel !== undefined ? [channel] : undefined);
  const record = {
    ...rest,
    owner: importedOwner(service, fields['owner']),
    ...(tagsObj !== undefined && tagFields(tagsObj)),
    ...(isProtected === true && { protected: true }),
    ...(put !== undefined && { channels: put }),
  } as unknown as ImageRecord;
  return UNDER_WAY.has(record.state) && !record.activated ? record : withState(record);
}
