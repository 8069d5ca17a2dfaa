/** The rules of the fields that hold arrays and objects, except `requirements`. */
import { isUuid } from '../text/uuid.ts';
import { asBoolean, isObject } from './fields.ts';
import { type FieldProblem, invalid, isFull, shown } from './problem.ts';
import { COMPRESSIONS } from './record.ts';
import type { Check } from './rule.ts';

const LONGEST_BILLING_TAG = 128;
/** Each tag is a row of an index. */
const MOST_BILLING_TAGS = 1000;
/** Characters; a ZFS guid has at most 20. */
export const LONGEST_DATASET_GUID = 100;
/** Characters of JSON. */
const LONGEST_TAGS = 100 * 1024;

/** One for all other types. A map, because the type of a manifest that is being checked may be any JSON. */
const FILES_BY_TYPE: ReadonlyMap<unknown, number> = new Map([['lxd', 2]]);

export const checkFiles: Check = (value, problems, { record, stored }) => {
  if (!Array.isArray(value)) {
    problems.push(invalid('files', 'an array', value));
    return;
  }
  const most = FILES_BY_TYPE.get(record['type']) ?? 1;
  if (value.length > most) {
    const message = `"files" must hold at most ${most}, not ${value.length}, for an image of this type`;
    problems.push({ field: 'files', code: 'Invalid', message });
    return;
  }
  for (const file of value) checkFile(file, problems, stored);
};

function checkFile(file: unknown, problems: FieldProblem[], stored: boolean): void {
  if (!isObject(file)) {
    problems.push(invalid('files', 'an array of objects', file));
    return;
  }
  // A file that was imported from another IMGAPI may be empty.
  const good = { sha1: Boolean, size: (size: unknown) => size === 0 || Boolean(size) };
  for (const [key, isGood] of Object.entries(good)) {
    if (!isGood(file[key])) problems.push(invalid('files', `an array of files that have "${key}"`, file));
  }
  const { dataset_guid: guid } = file;
  if (!stored && guid !== undefined && !isDatasetGuid(guid)) {
    const expected = `an array of files with a "dataset_guid" of at most ${LONGEST_DATASET_GUID} characters`;
    problems.push(invalid('files', expected, guid));
  }
  if (!(COMPRESSIONS as readonly unknown[]).includes(file['compression'])) {
    const expected = `an array of files with a "compression" of ${COMPRESSIONS.join(', ')}`;
    problems.push(invalid('files', expected, file['compression'] ?? null));
  }
}

/** Whether it can be stored as a file's `dataset_guid`. */
export function isDatasetGuid(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_DATASET_GUID;
}

/** A record's icon, which only an upload creates. In a manifest, `icon` is a flag that says nothing about this server. */
export const checkIcon: Check = (value, problems) => {
  if (value === null || asBoolean(value) === false) return;
  if (!isObject(value)) {
    problems.push(invalid('icon', 'a boolean', value));
    return;
  }
  // An icon may be empty, so its size only has to be a number.
  const good = { contentMD5: Boolean, size: Number.isInteger, contentType: Boolean };
  for (const [key, isGood] of Object.entries(good)) {
    if (isGood(value[key])) continue;
    problems.push(invalid('icon', `an icon that has "${key}"`, value));
    return;
  }
};

export const checkAcl: Check = (value, problems) => {
  if (!Array.isArray(value)) {
    problems.push(invalid('acl', 'an array of UUIDs', value));
    return;
  }
  const bad = value.findIndex((entry) => !isUuid(entry));
  if (bad < 0) return;
  const message = `"acl" must be an array of UUIDs, but item ${bad} is ${shown(value[bad])}`;
  problems.push({ field: 'acl', code: 'Invalid', message });
};

export const checkUsers: Check = (value, problems) => {
  const expected = 'an array of {name}';
  if (!Array.isArray(value)) {
    problems.push(invalid('users', expected, value));
    return;
  }
  for (const user of value) {
    if (isFull(problems)) return;
    const good = isObject(user) && user['name'] !== undefined && Object.keys(user).length === 1;
    if (!good) problems.push(invalid('users', expected, user));
  }
};

/** Checks for an array of strings no longer than `longest`. */
function checkStrings(field: string, longest = Number.POSITIVE_INFINITY): Check {
  const expected = Number.isFinite(longest)
    ? `an array of strings of at most ${longest} characters`
    : 'an array of strings';
  return (value, problems) => {
    if (!Array.isArray(value)) {
      problems.push(invalid(field, expected, value));
      return;
    }
    for (const item of value) {
      if (isFull(problems)) return;
      if (typeof item !== 'string' || item.length > longest) problems.push(invalid(field, expected, item));
    }
  };
}

const checkBillingTagNames = checkStrings('billing_tags', LONGEST_BILLING_TAG);

export const checkBillingTags: Check = (value, problems, context) => {
  if (!context.stored && Array.isArray(value) && value.length > MOST_BILLING_TAGS) {
    const message = `"billing_tags" must hold at most ${MOST_BILLING_TAGS}, not ${value.length}`;
    problems.push({ field: 'billing_tags', code: 'Invalid', message });
    return;
  }
  checkBillingTagNames(value, problems, context);
};

export const checkTraits: Check = (value, problems, { stored }) => {
  // Arrays were accepted once, so existing images may have one.
  if (stored && Array.isArray(value)) return;
  if (!isObject(value)) {
    problems.push(invalid('traits', 'an object', value));
    return;
  }
  for (const [trait, setting] of Object.entries(value)) {
    if (isFull(problems)) return;
    if (typeof setting === 'string' || typeof setting === 'boolean' || Array.isArray(setting)) continue;
    const message = `"traits" must hold strings, booleans and arrays, but ${shown(trait)} is ${shown(setting)}`;
    problems.push({ field: 'traits', code: 'Invalid', message });
  }
};

export const checkTags: Check = (value, problems) => {
  if (!isObject(value)) {
    problems.push(invalid('tags', 'an object', value));
    return;
  }
  const { length } = JSON.stringify(value);
  if (length <= LONGEST_TAGS) return;
  const message = `"tags" must be at most ${LONGEST_TAGS} characters of JSON, not ${length}`;
  problems.push({ field: 'tags', code: 'Invalid', message });
};

const checkDirectories = checkStrings('inherited_directories');

export const checkInheritedDirectories: Check = (value, problems, context) => {
  if (context.record['type'] !== 'zone-dataset') {
    problems.push(invalid('inherited_directories', 'left out unless the type is zone-dataset', value));
    return;
  }
  checkDirectories(value, problems, context);
};

const checkChannelNames = checkStrings('channels');

/**
 * The names are not compared with the configured channels, so that removing a channel from the configuration does not
 * invalidate its images.
 */
export const checkChannels: Check = (value, problems, context) => {
  if (!context.channels || context.mode === 'dc') {
    problems.push(invalid('channels', 'left out, because this IMGAPI has no channels', value));
    return;
  }
  checkChannelNames(value, problems, context);
};
