/** Dates, days of the week and times of the day. All are of UTC. */
import { ordered, type ValueType } from './value-type.ts';

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const SHORTEST_DAY = 2;

const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
/** As in the header Date. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const TIME_OF_DAY = /^(?:\d{4}-\d{2}-\d{2}T)?([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$/;

/** In milliseconds. A date without a zone is of UTC, whatever the zone of this machine. */
function millisecondsOf(text: string): number | undefined {
  const [iso, time, , , zone] = ISO.exec(text) ?? [];
  if (iso === undefined && !HTTP_DATE.test(text)) return undefined;
  const parsed = Date.parse(time !== undefined && zone === undefined ? `${text}Z` : text);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** 1 for Monday to 7 for Sunday. */
function dayOf(text: string): number | undefined {
  if (/^[1-7]$/.test(text)) return Number(text);
  const name = text.toLowerCase();
  const named = name.length >= SHORTEST_DAY ? DAYS.findIndex((day) => day.startsWith(name)) : -1;
  if (named >= 0) return named + 1;
  const date = millisecondsOf(text);
  return date === undefined ? undefined : weekday(new Date(date));
}

function weekday(date: Date): number {
  return date.getUTCDay() || DAYS.length;
}

const DAY_MS = 86_400_000;

/** Milliseconds since midnight. */
function timeOf(text: string): number | undefined {
  const [, hours, minutes, seconds] = TIME_OF_DAY.exec(text) ?? [];
  return hours === undefined ? undefined : ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

const onDate =
  (read: (date: Date) => number) =>
  (fact: unknown): number | undefined =>
    fact instanceof Date ? read(fact) : undefined;

export const DATE: ValueType = ordered(
  'date',
  millisecondsOf,
  onDate((date) => date.getTime()),
);

export const DAY: ValueType = ordered('day', dayOf, onDate(weekday));

export const TIME: ValueType = ordered(
  'time',
  timeOf,
  onDate((date) => date.getTime() % DAY_MS),
);
