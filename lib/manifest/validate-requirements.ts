/**
 * The rules of `requirements.*`. A falsy value counts as not given, because clients fill in `0`, `""` and `null`. An
 * unknown requirement is an error, because ignoring it could provision the image where it must not run.
 */
import { isObject } from './fields.ts';
import { type FieldProblem, invalid, isFull, shown } from './problem.ts';
import type { Check, RuleContext } from './rule.ts';
import { isPlatformStamp } from './timestamps.ts';

const BOOTROMS: readonly unknown[] = ['bios', 'uefi'];

/** The only brand with a choice of boot ROM. */
const BOOTROM_BRAND = 'bhyve';

type Requirements = Readonly<Record<string, unknown>>;
type RequirementCheck = (
  value: unknown,
  field: string,
  problems: FieldProblem[],
  all: Requirements,
  context: RuleContext,
) => void;

/** In the order of the checks. */
const REQUIREMENTS: Readonly<Record<string, RequirementCheck>> = {
  networks: checkNetworks,
  brand: (value, field, problems) => {
    if (typeof value !== 'string') problems.push(invalid(field, 'a string', value));
  },
  ssh_key: (value, field, problems) => {
    if (typeof value !== 'boolean') problems.push(invalid(field, 'a boolean', value));
  },
  min_ram: checkRam,
  max_ram: checkMaxRam,
  min_platform: checkPlatforms,
  max_platform: checkPlatforms,
  bootrom: checkBootrom,
};

const NAMES = Object.keys(REQUIREMENTS);

export const checkRequirements: Check = (value, problems, context) => {
  if (!isObject(value)) {
    problems.push(invalid('requirements', 'an object', value));
    return;
  }
  for (const name of NAMES) {
    if (value[name]) REQUIREMENTS[name]?.(value[name], `requirements.${name}`, problems, value, context);
  }
  for (const name of Object.keys(value)) {
    if (isFull(problems)) return;
    if (NAMES.includes(name)) continue;
    problems.push({
      field: name,
      code: 'Invalid',
      message: `there is no requirement ${shown(name)}, only ${NAMES.join(', ')}`,
    });
  }
};

function checkNetworks(value: unknown, field: string, problems: FieldProblem[]): void {
  const expected = 'an array of {name, description}';
  if (!Array.isArray(value)) {
    problems.push(invalid(field, expected, value));
    return;
  }
  for (const entry of value) {
    if (isFull(problems)) return;
    const good =
      isObject(entry) &&
      entry['name'] !== undefined &&
      entry['description'] !== undefined &&
      Object.keys(entry).length === 2;
    if (!good) problems.push(invalid(field, expected, entry));
  }
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0;
}

function checkRam(value: unknown, field: string, problems: FieldProblem[]): void {
  if (!isPositiveInteger(value)) problems.push(invalid(field, 'a whole number of MiB above 0', value));
}

function checkMaxRam(value: unknown, field: string, problems: FieldProblem[], all: Requirements): void {
  checkRam(value, field, problems);
  const min = all['min_ram'];
  if (isPositiveInteger(value) && isPositiveInteger(min) && value < min) {
    problems.push(invalid(field, `at least min_ram, which is ${min}`, value));
  }
}

/** Such as `7.0`, the only form of key that compute nodes look for. */
const PLATFORM_VERSION = /^\d{1,3}(\.\d{1,3}){1,2}$/;

function checkPlatforms(
  value: unknown,
  field: string,
  problems: FieldProblem[],
  _all: Requirements,
  { stored }: RuleContext,
): void {
  if (!isObject(value) || Object.keys(value).length === 0) {
    problems.push(invalid(field, 'an object of platform stamps by SmartDataCenter version', value));
    return;
  }
  for (const [version, stamp] of Object.entries(value)) {
    if (isFull(problems)) return;
    // Any key was accepted once, so existing images may have one.
    if (!stored && !PLATFORM_VERSION.test(version)) {
      problems.push(invalid(field, 'keyed by SmartDataCenter versions such as "7.0"', version));
      continue;
    }
    if (isPlatformStamp(stamp)) continue;
    problems.push(invalid(field, `a platform stamp such as 20130308T102805Z for ${shown(version)}`, stamp));
  }
}

function checkBootrom(value: unknown, field: string, problems: FieldProblem[], all: Requirements): void {
  if (!BOOTROMS.includes(value)) problems.push(invalid(field, `one of ${BOOTROMS.join(', ')}`, value));
  const { brand } = all;
  const needed = `"requirements.brand" must be "${BOOTROM_BRAND}" with "${field}"`;
  // The field that today's IMGAPI names, although the brand is what is wrong.
  if (!brand) problems.push({ field, code: 'MissingParameter', message: needed });
  else if (brand !== BOOTROM_BRAND) {
    problems.push({ field, code: 'Invalid', message: `${needed}, not ${shown(brand)}` });
  }
}
