/** Names in the pulls area: `pulls/YYYYMMDD/UUID.file0.REQID`. */
import { pullsDay } from '#lib/manifest/object-paths.ts';
import { isUuid } from '#lib/text/uuid.ts';

const DAY = /^\d{8}$/;
const NAME = /^([0-9a-f-]{36})\.file(\d{1,2})\.([0-9a-f-]{36})$/;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface PullName {
  readonly uuid: string;
  readonly index: number;
  readonly reqid: string;
}

/** Undefined for a name that this service does not make. */
export function parsePullName(name: string): PullName | undefined {
  const [, uuid, index, reqid] = NAME.exec(name) ?? [];
  return isUuid(uuid) && isUuid(reqid) ? { uuid, index: Number(index), reqid } : undefined;
}

/** Whether the name is a calendar day, written `YYYYMMDD`. */
export function isPullsDay(name: string): boolean {
  if (!DAY.test(name)) return false;
  const date = new Date(`${name.slice(0, 4)}-${name.slice(4, 6)}-${name.slice(6)}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && pullsDay(date.getTime()) === name;
}

/** The latest day that is more than `keepDays` days before the given moment. */
export function lastExpiredDay(milliseconds: number, keepDays: number): string {
  return pullsDay(milliseconds - (keepDays + 1) * DAY_MS);
}
