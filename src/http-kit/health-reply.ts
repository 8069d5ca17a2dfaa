/** The answer to whoever asks how a process is. */
import type { Health } from '#lib/api/schemas/service.ts';
import { redact } from '#lib/text/redact.ts';
import type { Reply } from './call.ts';

/** @param isInsider whether the caller may know paths and numbers */
export function healthReply({ ok, checks }: Health, isInsider = true): Reply {
  const shown = Object.entries(checks).map(([name, { ok: isOk, ms, error, ...details }]) => [
    name,
    isInsider
      ? { ok: isOk, ms, ...(error === undefined ? {} : { error: redact(error) }), ...details }
      : { ok: isOk, ms },
  ]);
  const json = { ok, checks: Object.fromEntries(shown) };
  return { status: ok ? 200 : 503, json, headers: { 'Cache-Control': 'no-store' } };
}
