/**
 * Whether this process can do its work: a load balancer asks this before it sends requests here. Each check is limited
 * in time, and results are kept for a second so that nobody can keep the service busy by asking, nor what hangs pile up.
 */
import type Logger from 'bunyan';
import { COME_BACK } from '#lib/api/errors/come-back.ts';
import type { Health } from '#lib/api/schemas/service.ts';
import { redact } from '#lib/text/redact.ts';
import type { Reply } from './call.ts';
import { type HealthCheck, HealthWatch } from './health-watch.ts';

/** Returns a function that reports the health of the parts. Who asks while a report is being made gets the same. */
export function healthOf(checks: readonly HealthCheck[], log: Pick<Logger, 'info' | 'warn'>): () => Promise<Health> {
  const watches = checks.map((check) => [check, new HealthWatch(check)] as const);
  let latest: Promise<Health> | undefined;
  let wasOk = true;
  const report = async (): Promise<Health> => {
    const parts = await Promise.all(
      watches.map(async ([{ name, isDispensable = false }, watch]) => ({
        name,
        isDispensable,
        is: await watch.health(),
      })),
    );
    latest = undefined;
    const ok = parts.every(({ isDispensable, is }) => isDispensable || is.ok);
    const health = { ok, checks: Object.fromEntries(parts.map(({ name, is }) => [name, is])) };
    if (ok !== wasOk && ok) log.info(health, 'healthy again');
    else if (ok !== wasOk) log.warn(health, 'not healthy');
    wasOk = ok;
    return health;
  };
  return () => {
    latest ??= report();
    return latest;
  };
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
