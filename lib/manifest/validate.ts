/** Whether a record is a valid image, and everything that is wrong with it if it is not. */
import { isIndexableText } from '../documents/index-value.ts';
import { MANIFEST_FIELDS, type ManifestField, MINIMAL_FIELDS, RECORD_ONLY_FIELDS, REQUIRED_FIELDS } from './fields.ts';
import { type FieldProblem, invalid, isFull, shown } from './problem.ts';
import type { ManifestMode, RuleContext } from './rule.ts';
import { checkIcon } from './validate-collections.ts';
import { checkField } from './validate-fields.ts';

export interface ValidateOptions {
  readonly mode: ManifestMode;
  /** The record is a placeholder, of which few fields are required. */
  readonly minimal?: boolean;
  /** This IMGAPI has channels, so every image must be in at least one. Ignored in `dc` mode, which has no channels. */
  readonly channels?: boolean;
}

type RuledField = Exclude<ManifestField, 'icon'>;

const RULED_FIELDS = MANIFEST_FIELDS.filter((field): field is RuledField => field !== 'icon');
const KNOWN_FIELDS: ReadonlySet<string> = new Set([...MANIFEST_FIELDS, ...RECORD_ONLY_FIELDS]);

/** The fields to check, in order: the required ones, then the others in manifest order. */
interface Plan {
  readonly required: readonly RuledField[];
  readonly optional: readonly RuledField[];
}

function planOf(required: readonly RuledField[]): Plan {
  return { required, optional: RULED_FIELDS.filter((field) => !required.includes(field)) };
}

const MINIMAL_PLAN = planOf(MINIMAL_FIELDS);
const FULL_PLAN = planOf(REQUIRED_FIELDS);
const CHANNELS_PLAN = planOf([...REQUIRED_FIELDS, 'channels']);

/**
 * Everything that is wrong with a record that is about to be stored, in the order of the report: the stored form, the
 * required fields, the optional ones, unknown keys. Empty when the record may be stored.
 */
export function validateManifest(record: Readonly<Record<string, unknown>>, options: ValidateOptions): FieldProblem[] {
  const problems = check(record, options, false);
  for (const key of Object.keys(record)) {
    if (isFull(problems)) break;
    if (KNOWN_FIELDS.has(key)) continue;
    problems.push({ field: key, code: 'Invalid', message: `there is no manifest field ${shown(key)}` });
  }
  return [...problems, ...unstorableTexts(record, new Set(problems.map(({ field }) => field)))];
}

/** Not every store can keep every text. Skips the fields that are already known to be wrong. */
function unstorableTexts(record: RuleContext['record'], wrong: ReadonlySet<string>): FieldProblem[] {
  return MANIFEST_FIELDS.filter(
    (field) => !wrong.has(field) && !isStorable(record[field === 'tags' ? 'tagsObj' : field]),
  ).map((field) => invalid(field, 'text without NUL characters or unpaired surrogates', record[field]));
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return isIndexableText(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, item]) => isIndexableText(key) && isStorable(item));
}

/** Valid records, by the options they are valid under. Records are frozen and shared, so each is checked once. */
const VALID = new Map<string, WeakSet<object>>();

/**
 * Whether a stored record is a usable image. Rules that may be newer than the record do not apply, and unknown keys may
 * come from a newer IMGAPI: neither makes a stored image vanish.
 */
export function isValidRecord(record: object, options: Omit<ValidateOptions, 'minimal'>): boolean {
  const key = options.channels ? `${options.mode}+channels` : options.mode;
  let valid = VALID.get(key);
  if (!valid) {
    valid = new WeakSet();
    VALID.set(key, valid);
  }
  if (valid.has(record)) return true;
  if (storedRecordProblems(record, options).length > 0) return false;
  if (Object.isFrozen(record)) valid.add(record);
  return true;
}

/** Why {@link isValidRecord} refuses a record. */
export function storedRecordProblems(record: object, options: Omit<ValidateOptions, 'minimal'>): FieldProblem[] {
  const fields = record as Readonly<Record<string, unknown>>;
  return check(fields, { ...options, minimal: isMinimalPlaceholder(fields, options.mode) }, true);
}

/** Whether the minimal rules for placeholders apply. Only `dc` mode creates images from VMs, so only there they do. */
export function isMinimalPlaceholder(record: Readonly<Record<string, unknown>>, mode: ManifestMode): boolean {
  return mode === 'dc' && record['state'] === 'creating';
}

function check(record: RuleContext['record'], options: ValidateOptions, stored: boolean): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const context: RuleContext = { record, mode: options.mode, channels: options.channels ?? false, stored };
  checkStoredForm(context, problems);
  const { required, optional } = planFor(options);
  for (const field of required) checkField(field, manifestValue(record, field), true, problems, context);
  for (const field of optional) checkField(field, manifestValue(record, field), false, problems, context);
  return problems;
}

function checkStoredForm(context: RuleContext, problems: FieldProblem[]): void {
  const { tags, icon } = context.record;
  if (tags && !Array.isArray(tags)) problems.push(invalid('tags', 'stored as an array of search strings', tags));
  if (icon !== undefined) checkIcon(icon, problems, context);
}

function planFor({ mode, minimal, channels }: ValidateOptions): Plan {
  if (minimal) return MINIMAL_PLAN;
  return channels && mode !== 'dc' ? CHANNELS_PLAN : FULL_PLAN;
}

/** The manifest's tags are in `tagsObj`; the field `tags` holds their search strings. */
function manifestValue(record: RuleContext['record'], field: RuledField): unknown {
  return record[field === 'tags' ? 'tagsObj' : field];
}
