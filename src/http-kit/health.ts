/**
 * Whether this process can do its work: a load balancer asks this before it sends requests here. Each check is limited
 * in time, and results are kept for a second so that nobody can keep the service busy by asking.
 */
import type Logger from 'bunyan';
import { COME_BACK } from '#lib/api/errors/come-back.ts';
import type { Health } from '#lib/api/schemas/service.ts';
import { within } from '#lib/runtime/within.ts';
import { redact } from '#lib/text/redact.ts';
import type { Reply } from './call.ts';

export interface HealthCheck {
  readonly name: string;
  /** Whether the process can do most of its work all the same: it is then no reason to send requests elsewhere. */
  readonly isDispensable?: boolean;
  /** Rejects if the part cannot be used; the message says why. May resolve to details. */
  run(): Promise<object | undefined>;
}

const LIMIT_MS = 2000;
const GOOD_FOR_MS = 1000;

/** Returns a function that reports the health of the parts, checking them at most once a second. */
export function healthOf(checks: readonly HealthCheck[], log: Pick<Logger, 'info' | 'warn'>): () => Promise<Health> {
  let latest: Promise<Health> | undefined;
  let at = Number.NEGATIVE_INFINITY;
  let wasOk = true;
  const logChange = (health: Health): void => {
    if (health.ok !== wasOk && health.ok) log.info(health, 'healthy again');
    else if (health.ok !== wasOk) log.warn(health, 'not healthy');
    wasOk = health.ok;
  };
  return () => {
    if (latest === undefined || performance.now() - at > GOOD_FOR_MS) {
      at = performance.now();
      latest = runAll(checks);
      latest.then(logChange, () => {});
    }
    return latest;
  };
}

async function runAll(checks: readonly HealthCheck[]): Promise<Health> {
  const results = await Promise.all(checks.map(async (check) => [check.name, await runOne(check)] as const));
  const ok = checks.every(({ isDispensable = false }, at) => isDispensable || results[at]?.[1].ok);
  return { ok, checks: Object.fromEntries(results) };
}

async function runOne(check: HealthCheck): Promise<Health['checks'][string]> {
  const begin = performance.now();
  try {
    const details = await within(LIMIT_MS, check.run(), () => {
      throw new Error(`no answer within ${LIMIT_MS} ms`);
    });
    return { ok: true, ms: Math.round(performance.now() - begin), ...details };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, ms: Math.round(performance.now() - begin), error: message };
  }
}

/** @param isInsider whether the caller may see errors and details, such as paths and numbers */
export function healthReply({ ok, checks }: Health, isInsider = true): Reply {
  const shown = Object.entries(checks).map(([name, { ok: isOk, ms, error, ...details }]) => [
    name,
    isInsider ? { ok: isOk, ms, ...(error !== undefined && { error: redact(error) }), ...details } : { ok: isOk, ms },
  ]);
  const json = { ok, checks: Object.fromEntries(shown) };
  const headers = { 'Cache-Control': 'no-store' };
  return ok ? { status: 200, json, headers } : { status: 503, json, headers: { ...headers, ...COME_BACK } };
}
