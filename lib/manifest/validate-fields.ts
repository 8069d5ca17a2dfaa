/**
 * The rule of every manifest field.
 *
 * These are functions rather than a JSON schema for three reasons. All problems of a manifest are reported together, in
 * an order that clients know, with messages that name the value. Some rules look at other fields. And the rules run over
 * every record that is read.
 */
import { isUuid } from '../text/uuid.ts';
import { asBoolean, isObject, type ManifestField } from './fields.ts';
import { type FieldProblem, invalid, missing } from './problem.ts';
import { IMAGE_OSES, IMAGE_TYPES, STORED_STATES } from './record.ts';
import type { Check, FieldRule, RuleContext } from './rule.ts';
import { hasDateForm, isDate } from './timestamps.ts';
import {
  checkAcl,
  checkBillingTags,
  checkChannels,
  checkFiles,
  checkInheritedDirectories,
  checkTags,
  checkTraits,
  checkUsers,
} from './validate-collections.ts';
import { checkRequirements } from './validate-requirements.ts';

const LONGEST_DESCRIPTION = 10 * 1024;
const LONGEST_URL = 1024;

/** States in which an image's type and os may still be unknown. */
const PLACEHOLDER_STATES: readonly unknown[] = ['creating', 'failed', 'deleting'];

function uuid(field: ManifestField): FieldRule {
  return {
    check: (value, problems) => {
      if (!isUuid(value)) problems.push(invalid(field, 'a lower-case UUID', value));
    },
  };
}

/** Checks the length first, so that an over-long text is not searched for bad characters. */
function text(field: ManifestField, longest: number, form?: RegExp, characters = ''): FieldRule {
  return {
    check: (value, problems) => {
      if (typeof value !== 'string') problems.push(invalid(field, 'a string', value));
      else if (value.length > longest) problems.push(tooLong(field, longest, value));
      else if (form && !form.test(value)) problems.push(invalid(field, `one or more of ${characters}`, value));
    },
  };
}

/** Checks the protocol first, then the length. */
function url(field: ManifestField): FieldRule {
  return {
    check: (value, problems, { stored }) => {
      const hasProtocol = typeof value === 'string' && /^https?:/i.test(value);
      if (!hasProtocol) problems.push(invalid(field, 'an http or https URL', value));
      else if (value.length > LONGEST_URL) problems.push(tooLong(field, LONGEST_URL, value));
      else if (!stored && !URL.canParse(value)) problems.push(invalid(field, 'an http or https URL', value));
    },
  };
}

function tooLong(field: ManifestField, longest: number, { length }: string): FieldProblem {
  return { field, code: 'Invalid', message: `"${field}" must have at most ${longest} characters, not ${length}` };
}

function boolean(field: ManifestField): FieldRule {
  return {
    check: (value, problems) => {
      if (asBoolean(value) === undefined) problems.push(invalid(field, 'true or false', value));
    },
  };
}

function oneOf(field: ManifestField, values: readonly string[]): FieldRule {
  const known: readonly unknown[] = values;
  return {
    check: (value, problems, { record }) => {
      if (known.includes(value)) return;
      if (value === 'null' && PLACEHOLDER_STATES.includes(record['state'])) return;
      problems.push(invalid(field, `one of ${values.join(', ')}`, value));
    },
  };
}

function neededByZvol(record: RuleContext['record']): string | undefined {
  return record['type'] === 'zvol' ? 'images of type zvol need it' : undefined;
}

/** A field of zvol images only; images of other types must not have it. */
function zvolOnly(field: ManifestField, check: Check): FieldRule {
  return {
    neededBy: neededByZvol,
    check: (value, problems, context) => {
      if (context.record['type'] === 'zvol') check(value, problems, context);
      else if (value) problems.push(invalid(field, 'left out unless the type is zvol', value));
    },
  };
}

function driver(field: ManifestField): FieldRule {
  return zvolOnly(field, (value, problems) => {
    if (typeof value !== 'string') problems.push(invalid(field, 'a string', value));
  });
}

/** Sizes of zero and below were accepted once, so existing images may have one. */
const checkImageSize: Check = (value, problems, { stored }) => {
  const good = Number.isInteger(value) && (stored || Number(value) > 0);
  if (!good) problems.push(invalid('image_size', 'a whole number of MiB above 0', value));
};

function neededByActivated(record: RuleContext['record']): string | undefined {
  return asBoolean(record['activated']) ? 'activated images need it' : undefined;
}

const checkV: Check = (value, problems) => {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
  if (!isNumber || !(Number(value) >= 0)) problems.push(invalid('v', 'a number of at least 0', value));
};

const checkPublic: Check = (value, problems, { mode }) => {
  const isPublic = asBoolean(value);
  if (isPublic === undefined) problems.push(invalid('public', 'true or false', value));
  else if (mode === 'public' && !isPublic) problems.push(invalid('public', 'true on a public image server', value));
  else if (mode === 'private' && isPublic) problems.push(invalid('public', 'false on a private image server', value));
};

const checkPublishedAt: Check = (value, problems, { record, stored }) => {
  if (!value) {
    const because = neededByActivated(record);
    if (because) problems.push(missing('published_at', because));
    return;
  }
  const good = stored ? hasDateForm(value) : isDate(value);
  if (!good) problems.push(invalid('published_at', 'a date such as 2012-12-25T12:00:00.123Z', value));
};

const checkDeprecatedAt: Check = (value, problems, { stored }) => {
  const good = stored ? hasDateForm(value) : isDate(value);
  if (!good) problems.push(invalid('deprecated_at', 'a date such as 2012-12-25T12:00:00.123Z', value));
};

const checkReplacedBy: Check = (value, problems, { record, stored }) => {
  if (!isUuid(value)) problems.push(invalid('replaced_by', 'a lower-case UUID', value));
  else if (stored) return;
  else if (value === record['uuid']) problems.push(invalid('replaced_by', 'the UUID of another image', value));
  else if (!record['deprecated_at']) {
    problems.push(invalid('replaced_by', 'left out unless deprecated_at is given', value));
  }
};

const checkState: Check = (value, problems) => {
  if ((STORED_STATES as readonly unknown[]).includes(value)) return;
  problems.push(invalid('state', `one of ${STORED_STATES.join(', ')}`, value));
};

const checkError: Check = (value, problems) => {
  if (!isObject(value)) problems.push(invalid('error', 'an object', value));
};

/** Without `icon`: a record's icon is checked before the manifest, see `validate.ts`. */
const FIELD_RULES: Readonly<Record<Exclude<ManifestField, 'icon'>, FieldRule>> = {
  v: { check: checkV },
  uuid: uuid('uuid'),
  urn: text('urn', Number.POSITIVE_INFINITY),
  owner: uuid('owner'),
  name: text('name', 1024, /^[A-Za-z0-9._/ -]+$/, 'A-Z a-z 0-9 . _ / - and space'),
  version: text('version', 512, /^[A-Za-z0-9._/+-]+$/, 'A-Z a-z 0-9 . _ / + and -'),
  description: text('description', LONGEST_DESCRIPTION),
  homepage: url('homepage'),
  eula: url('eula'),
  disabled: boolean('disabled'),
  activated: boolean('activated'),
  published_at: { check: checkPublishedAt, neededBy: neededByActivated },
  state: { check: checkState },
  public: { check: checkPublic },
  type: oneOf('type', IMAGE_TYPES),
  os: oneOf('os', IMAGE_OSES),
  origin: uuid('origin'),
  error: { check: checkError },
  files: { check: checkFiles, neededBy: neededByActivated },
  acl: { check: checkAcl },
  requirements: { check: checkRequirements },
  users: { check: checkUsers },
  billing_tags: { check: checkBillingTags },
  traits: { check: checkTraits },
  tags: { check: checkTags },
  generate_passwords: boolean('generate_passwords'),
  inherited_directories: { check: checkInheritedDirectories },
  nic_driver: driver('nic_driver'),
  disk_driver: driver('disk_driver'),
  cpu_type: driver('cpu_type'),
  image_size: zvolOnly('image_size', checkImageSize),
  channels: { check: checkChannels },
  deprecated_at: { check: checkDeprecatedAt },
  replaced_by: { check: checkReplacedBy },
};

/** Checks one field; `required` says whether its absence is a problem. */
export function checkField(
  field: Exclude<ManifestField, 'icon'>,
  value: unknown,
  required: boolean,
  problems: FieldProblem[],
  context: RuleContext,
): void {
  const { check, neededBy } = FIELD_RULES[field];
  if (value !== undefined) {
    check(value, problems, context);
    return;
  }
  if (!required) return;
  const because = neededBy ? neededBy(context.record) : '';
  if (because !== undefined) problems.push(missing(field, because));
}
