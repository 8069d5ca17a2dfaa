/** The rules of policies: what each allows, what is refused, and that no rule keeps the process busy. */
import { test } from 'tap';
import { parseRule } from '#lib/policies/parse-rule.ts';
import { allows, type Facts } from '#lib/policies/rule.ts';
import { RuleError } from '#lib/policies/rule-error.ts';

/** A Thursday, at noon. */
const NOW = new Date('2026-11-26T12:00:00Z');

const FACTS: Facts = {
  ...{ date: NOW, day: NOW, time: NOW, sourceip: '10.1.2.3', method: 'get' },
  ...{ 'user-agent': 'triton/7.17.0 (linux)', datacenter: 'us-sw-1', fromjob: false, size: 5 },
};

const IMAGE = '/alice/images/7212f6cd-0000-4000-8000-000000000000';

function isAllowed(rule: string, { action = 'getimage', resource = IMAGE, facts = FACTS } = {}): boolean {
  return allows(parseRule(rule), { action, resource, facts });
}

const YES = [
  'CAN getimage',
  'can getimage',
  'CAN getimage and listimages',
  'CAN listimages and getimage',
  'CAN listimages, getimage and shareimage',
  'CAN listimages, shareimage, and getimage',
  'CAN *',
  'CAN all',
  'CAN Everything',
  'CAN anything',
  'CAN get*',
  'CAN *image',
  'CAN g*t*e',
  'CAN /^GET/i::regex',
  'CAN /image$/::regexp',
  'CAN "getimage"',
  'CAN getimage *',
  'CAN getimage all',
  'CAN getimage /alice/images/*',
  `CAN getimage ${IMAGE}`,
  `CAN getimage /alice/images and ${IMAGE}`,
  'CAN getimage /^.alice.images.7212f6cd-/::regex',
  '* CAN getimage',
  'Everything can getimage',
  'CAN getimage WHEN sourceip = 10.0.0.0/8',
  'CAN getimage if sourceip = 10.1.2.3',
  'CAN getimage where sourceip::ip = 10.1.2.3',
  'CAN getimage WHEN sourceip in (192.168.0.0/16, 10.0.0.0/8)',
  'CAN getimage WHEN sourceip != 10.1.2.4',
  'CAN getimage WHEN sourceip = "::ffff:10.1.2.0/120"',
  'CAN getimage WHEN day = Thursday',
  'CAN getimage WHEN day in (Mon, tu, WED, Th, fri)',
  'CAN getimage WHEN day > 3 and day < Fri',
  'CAN getimage WHEN day = 2026-11-26',
  'CAN getimage WHEN time > 07:30:00 and time < 18:30:00 and day in (Mon, Thu)',
  'CAN getimage WHEN time = 12:00:00',
  'CAN getimage WHEN date >= 2026-11-26T12:00:00 and date <= 2026-11-26T13:00:00+01:00',
  'CAN getimage WHEN date < 2026-11-27 and date > 2026-11-26',
  'CAN getimage WHEN date < "Fri, 27 Nov 2026 00:00:00 GMT"',
  'CAN getimage WHEN user-agent like /^TRITON\\//i',
  'CAN getimage WHEN user-agent like "/(triton|curl) ?/"',
  'CAN getimage WHEN method = get',
  'CAN getimage WHEN datacenter = us-sw-1 AND fromjob = false',
  'CAN getimage WHEN size::number > 4 and size::number <= 5.0 and size::number != 0x06',
  'CAN getimage WHEN method = put or method = get',
  'CAN getimage WHEN NOT method = put',
  'CAN getimage WHEN not not method = get',
  'CAN getimage WHEN method = put or (day > Monday and day < Friday)',
  'CAN getimage WHEN not (method = put or method = post)',
  'CAN getimage WHEN method = put and day = Mon or method = get',
  // What comes first decides: the second is not known of the request.
  'CAN getimage WHEN method = get or tag_x::string = y',
];

const NO = [
  'CAN listimages',
  'CAN GetImage',
  'CAN get',
  'CAN getimage*s',
  'CAN \\*image',
  'CAN /^image/::regex',
  'CAN getimage /alice/images',
  'CAN getimage /bob/*',
  'alice CAN getimage',
  'alice and bob CAN *',
  'CAN getimage WHEN sourceip = 192.168.0.0/16',
  'CAN getimage WHEN sourceip = "2001:db8::/32"',
  'CAN getimage WHEN sourceip in (10.1.2.4, 10.1.2.5)',
  'CAN getimage WHEN day = Mon',
  'CAN getimage WHEN day in (Sat, Sun)',
  'CAN getimage WHEN time > 12:00:00',
  'CAN getimage WHEN date > 2026-11-27',
  'CAN getimage WHEN user-agent like /curl/',
  'CAN getimage WHEN method = Get',
  'CAN getimage WHEN fromjob = true',
  'CAN getimage WHEN method = put and method = get',
  'CAN getimage WHEN not method = get',
  'CAN getimage WHEN (method = get or method = put) and day = Mon',
];

test('a rule allows what it says', async (t) => {
  for (const rule of YES) t.equal(isAllowed(rule), true, rule);
});

test('and nothing else', async (t) => {
  for (const rule of NO) t.equal(isAllowed(rule), false, rule);
});

test('days begin on Monday and end on Sunday, in UTC', async (t) => {
  const sunday = new Date('2026-11-29T23:59:59.999Z');
  const facts = { ...FACTS, day: sunday, time: sunday };
  t.equal(isAllowed('CAN getimage WHEN day = Sun and day > Sat and day = 7', { facts }), true);
  t.equal(isAllowed('CAN getimage WHEN time > 23:59:59', { facts }), true);
});

test('an IPv4 address means the same in its IPv6 form', async (t) => {
  const facts = { ...FACTS, sourceip: '::ffff:10.1.2.3' };
  t.equal(isAllowed('CAN getimage WHEN sourceip = 10.0.0.0/8', { facts }), true);
  t.equal(isAllowed('CAN getimage WHEN sourceip = 10.1.2.4', { facts }), false);
  t.equal(isAllowed('CAN * WHEN sourceip = "2001:db8::/32"', { facts: { ...FACTS, sourceip: '2001:db8::7' } }), true);
});

const UNREADABLE: readonly [string, RegExp][] = [
  ['', /it ends where "CAN" was expected/],
  ['getimage', /it ends where "CAN" was expected/],
  ['CAN', /it ends where an action was expected/],
  ['CAN NOT getimage', /it has "NOT" where an action was expected/],
  ['CAN and', /it has "and" where an action was expected/],
  ['CAN getimage and', /it ends where an action was expected/],
  ['CAN getimage, listimages', /it ends where "and" was expected/],
  ['CAN getimage listimages shareimage', /it has "shareimage" where the end was expected/],
  ['CAN * and getimage', /it has "and" where a resource was expected/],
  ['CAN getimage WHEN', /it ends where a condition was expected/],
  ['CAN getimage WHEN sourceip', /it ends where an operator was expected/],
  ['CAN getimage WHEN sourceip =', /it ends where a value was expected/],
  ['CAN getimage WHEN sourceip=10.0.0.0/8', /"sourceip=10.0.0.0\/8" has no type of its own/],
  ['CAN getimage WHEN sourceip in 10.0.0.0/8', /where a list in parentheses was expected/],
  ['CAN getimage WHEN sourceip in (10.0.0.0/8', /it ends where "\)" was expected/],
  ['CAN getimage WHEN sourceip < 10.0.0.1', /"<" is not an operator of ip; there are = !=/],
  ['CAN getimage WHEN sourceip = 10.0.0.0/33', /neither an address nor a range/],
  ['CAN getimage WHEN sourceip = 300.1.2.3', /neither an address nor a range/],
  ['CAN getimage WHEN sourceip = 2001:db8::1', /it has "::" where the end was expected|neither an address/],
  ['CAN getimage WHEN color = red', /"color" has no type of its own; write "color::string"/],
  ['CAN getimage WHEN color::colour = red', /"colour" is not a type; there are boolean, date, day, ip, number/],
  ['CAN getimage WHEN constructor = x', /"constructor" has no type/],
  ['CAN getimage WHEN day = someday', /"someday" is not a day/],
  ['CAN getimage WHEN day = 8', /"8" is not a day/],
  ['CAN getimage WHEN day = s', /"s" is not a day/],
  ['CAN getimage WHEN time > 7:30', /"7:30" is not a time/],
  ['CAN getimage WHEN time > 24:00:00', /"24:00:00" is not a time/],
  ['CAN getimage WHEN date > yesterday', /"yesterday" is not a date/],
  ['CAN getimage WHEN date > 2026-13-01', /"2026-13-01" is not a date/],
  ['CAN getimage WHEN fromjob = yes', /"yes" is not a boolean/],
  ['CAN getimage WHEN size::number > 3*3', /"3\*3" is not a number/],
  ['CAN getimage WHEN user-agent like triton', /is not a regular expression such as/],
  ['CAN getimage WHEN user-agent like "/(/"', /is not a regular expression/],
  ['CAN getimage WHEN user-agent like /a/g', /unknown flag "g"/],
  ['CAN /(?=get)/::regex', /is not a regular expression/],
  ['CAN getimage WHEN (method = get', /it ends where "\)" was expected/],
  ['CAN getimage WHEN method = get)', /it has "\)" where the end was expected/],
  ['CAN "getimage', /cannot be read from ""getimage" on/],
  ['CAN "get\\qimage"', /is not a text in quotes/],
  ['CAN getimage, , listimages', /it has "," where/],
  [`CAN ${'x'.repeat(5000)}`, /longer than 4096/],
  [`CAN * WHEN ${'('.repeat(100)}method = get${')'.repeat(100)}`, /nested deeper than 50/],
];

test('a rule that cannot be read is refused by what is wrong with it', async (t) => {
  for (const [rule, message] of UNREADABLE) {
    t.throws(() => parseRule(rule), { name: 'RuleError', message }, rule);
  }
});

test('a rule cannot be decided by what is not known of the request, or is of another type', async (t) => {
  const cases = [
    'CAN * WHEN tag_x::string = y',
    'CAN * WHEN not tag_x::string = y',
    'CAN * WHEN tag_x::string = y or method = get',
    'CAN * WHEN constructor::string = y',
    'CAN * WHEN method::number = 5',
    'CAN * WHEN method::date > 2026-01-01',
    'CAN * WHEN size::string like /5/',
    'CAN * WHEN method::ip = 10.0.0.0/8',
    'CAN * WHEN date::boolean = true',
  ];
  for (const rule of cases) t.throws(() => isAllowed(rule), RuleError, rule);
});

test('a regular expression takes time in proportion to the text', async (t) => {
  const facts = { ...FACTS, 'user-agent': `${'a'.repeat(16_000)}!` };
  for (const pattern of ['/(a+)+$/', '/(a|aa)+$/', '/(.*a){12}b/', '/^(a?){50}a{50}$/']) {
    t.equal(isAllowed(`CAN * WHEN user-agent like "${pattern}"`, { facts }), false, pattern);
  }
  t.equal(isAllowed(`CAN ${'*a'.repeat(40)}b`, { action: 'a'.repeat(16_000) }), false);
});

test('a long rule is read or refused at once, whatever it consists of', async (t) => {
  const long = (part: string): string => `CAN ${part.repeat(4000 / part.length)}`;
  for (const word of ['/', '/[', '/\\', '*']) t.type(parseRule(long(word)).allowsAction, 'function', word);
  for (const part of ['"\\', ':', '::', '(', '[/]/ ']) t.throws(() => parseRule(long(part)), RuleError, part);
});
