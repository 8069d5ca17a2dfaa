import { test } from 'tap';
import { hasDateForm, isDate, isPlatformStamp } from '#lib/manifest/timestamps.ts';

test('a date has seconds or milliseconds, and a Z', (t) => {
  for (const date of ['2012-12-25T12:00:00Z', '2012-12-25T12:00:00.123Z']) t.ok(isDate(date), date);
  const others = ['2012-12-25', '2012-12-25T12:00Z', '2012-12-25T12:00:00', '2012-12-25T12:00:00+01:00', '', 5, null];
  for (const value of others) t.notOk(isDate(value), String(value));
  t.notOk(isDate('2012-12-32T12:00:00Z'), 'a day that does not exist');
  t.ok(hasDateForm('2012-12-32T12:00:00Z'), 'has the form all the same');
  t.end();
});

test('a platform stamp is exact to the character, and within the bounds of each part', (t) => {
  const good = ['20120101T000000Z', '20121231T235959Z', '99991231T235959Z', '20130308T102805Z'];
  for (const stamp of good) t.ok(isPlatformStamp(stamp), stamp);
  const bad = [
    '20111231T235959Z',
    '20130008T102805Z',
    '20131308T102805Z',
    '20130300T102805Z',
    '20130332T102805Z',
    '20130308T242805Z',
    '20130308T106005Z',
    '20130308T102860Z',
    '20130308 102805Z',
    '20130308T102805z',
    '20130308T102805ZZ',
    '2013030 T102805Z',
    ' 2013030T102805Z',
    '1e3e3e3eT1e1e1eZ',
    '',
    null,
    20130308,
    ['20130308T102805Z'],
  ];
  for (const value of bad) t.notOk(isPlatformStamp(value), String(value));
  t.end();
});
