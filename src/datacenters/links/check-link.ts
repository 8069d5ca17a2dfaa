/** Checks a link: what works, what does not, and how to fix it. */
import { createHash, randomBytes } from 'node:crypto';
import type { LinkCheck, LinkCheckReport, LinkHealth } from '#lib/api/schemas/datacenter.ts';
import { LinkBack, LinkEcho } from '#lib/api/schemas/link.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { isCertificateFault } from '#lib/client/transport-fault.ts';
import { cutText } from '#lib/text/cut-text.ts';
import type { Service } from '../../service/service.ts';
import { foreignMessage, isTimeout } from '../peers/remote-failure.ts';
import type { LinkRecord } from './documents.ts';
import { type LinkClient, linkClient } from './link-client.ts';
import { changeLink, getLink } from './links.ts';
import { pingLink } from './ping.ts';
import { LINK_VERSION } from './self.ts';
import { expectShape } from './wire.ts';

/** Sent each way by the transfer check. */
const TRANSFER_BYTES = 1024 * 1024;
const TRANSFER_TIMEOUT_MS = 60_000;
/** The share of the allowed skew at which to warn, well before requests are refused. */
const SKEW_WARNING = 0.2;

/** Checks reach, clock, versions and keys both ways, and transfers 1 MiB each way. @throws 404 ResourceNotFound */
export async function checkLink(service: Service, name: string, signal?: AbortSignal): Promise<LinkCheckReport> {
  const { value: link } = await getLink(service, name);
  return runChecks(service, link, { transfers: true, ...(signal && { signal }) });
}

/** Also records the result as the link's health. */
export async function runChecks(
  service: Service,
  link: LinkRecord,
  options: { readonly transfers: boolean; readonly signal?: AbortSignal },
): Promise<LinkCheckReport> {
  const client = await linkClient(service, link);
  const { checks, health } = await check(service, client, options);
  // An aborted check says nothing about the link, so it must not change the recorded health.
  if (options.signal?.aborted && !isTimeout(options.signal.reason)) throw options.signal.reason;
  await changeLink(service, link.name, (current) => ({ ...current, health }));
  return { datacenter: link.name, url: link.url, ok: health.ok, checks };
}

async function check(
  service: Service,
  client: LinkClient,
  { transfers, signal }: { readonly transfers: boolean; readonly signal?: AbortSignal },
): Promise<{ checks: LinkCheck[]; health: LinkHealth }> {
  const checks: LinkCheck[] = [];
  let found: Pick<LinkHealth, 'clock_skew_seconds' | 'versions'> = {};
  const reached = await attempt('reach', async () => {
    const { ping, clockSkewSeconds } = await pingLink(service, client, signal);
    found = { clock_skew_seconds: clockSkewSeconds, versions: ping.versions };
    return `version ${ping.versions.service} answers with a key that is known here`;
  });
  checks.push(reached);
  if (reached.ok) {
    checks.push(clockCheck(service, found.clock_skew_seconds ?? 0), versionCheck(found.versions?.link));
    checks.push(await attempt('reach back', () => callBack(client, signal)));
  }
  if (reached.ok && transfers) {
    checks.push(await attempt('download', () => download(client, signal)));
    checks.push(await attempt('upload', () => upload(client, signal)));
  }
  const failure = checks.find(({ ok }) => !ok);
  const health: LinkHealth = {
    checked_at: new Date(service.clock.now()).toISOString(),
    ok: failure === undefined,
    ...found,
    ...(failure && { error: cutText(`${failure.check}: ${failure.detail}`) }),
  };
  return { checks, health };
}

async function attempt(name: LinkCheck['check'], action: () => Promise<string>): Promise<LinkCheck> {
  try {
    return { check: name, ok: true, detail: await action() };
  } catch (error) {
    return { check: name, ok: false, detail: foreignMessage(error), mend: mendFor(error, name) };
  }
}

function mendFor(error: unknown, name: LinkCheck['check']): string {
  if (name === 'reach back') {
    return 'check the way from there to here: our firewall must let that datacenter reach our link port, and our links.publicUrl must be right';
  }
  if (error instanceof ImgapiUnreachableError && isCertificateFault(error)) {
    return 'have the certificate of the other side renewed, with its whole chain, and look at both clocks; one of an authority of your own is accepted where NODE_EXTRA_CA_CERTS names that authority to the server here';
  }
  if (error instanceof ImgapiUnreachableError || isTimeout(error)) {
    return 'check that the other IMGAPI is running, that its firewall lets us reach its link port, and that the URL is right';
  }
  if (!(error instanceof ImgapiError)) return 'check that the URL is that of the other link listener';
  if (error.statusCode === 429) return 'wait, or raise links.requestsPerSecond there';
  if (error.statusCode !== 401) return 'look at the log of the other IMGAPI for the time of this check';
  return /\bclock\b/.test(error.message)
    ? 'synchronize both clocks with NTP'
    : 'the two sides hold different keys: unlink on both sides, then link again';
}

function clockCheck({ config }: Service, skew: number): LinkCheck {
  const allowed = config.links.clockSkewSeconds;
  const detail =
    skew === 0 ? 'the clocks agree' : `the other clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead' : 'behind'}`;
  const isFine = Math.abs(skew) <= allowed * SKEW_WARNING;
  if (isFine) return { check: 'clock', ok: true, detail };
  return {
    check: 'clock',
    ok: false,
    detail: `${detail}; requests are refused beyond ${allowed} s`,
    mend: 'synchronize both clocks with NTP',
  };
}

function versionCheck(version: number | undefined): LinkCheck {
  if (version === LINK_VERSION) {
    return { check: 'versions', ok: true, detail: `both speak link version ${LINK_VERSION}` };
  }
  return {
    check: 'versions',
    ok: false,
    detail: `the other side speaks link version ${version}, this side ${LINK_VERSION}`,
    mend: 'update the older of the two',
  };
}

async function callBack(client: LinkClient, signal: AbortSignal | undefined): Promise<string> {
  const answer = await client.json({ method: 'POST', path: '/link/check', ...bounded(signal) });
  const { ok, error } = expectShape(answer, LinkBack, client.link.url);
  if (!ok) throw new Error(`it cannot reach us at ${client.link.our_url}: ${error ?? 'no reason given'}`);
  return `it reaches us at ${client.link.our_url}`;
}

async function download(client: LinkClient, signal: AbortSignal | undefined): Promise<string> {
  const started = performance.now();
  const path = `/link/blob?bytes=${TRANSFER_BYTES}`;
  const answer = await client.send({ method: 'GET', path, ...bounded(signal) });
  const sha256 = createHash('sha256');
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    sha256.update(chunk);
    // Longer than asked for: it might never end.
    if (bytes > TRANSFER_BYTES) break;
  }
  assertSame(bytes, sha256.digest('hex'), answer.headers['x-sha256'] ?? 'no hash');
  return rate(started);
}

async function upload(client: LinkClient, signal: AbortSignal | undefined): Promise<string> {
  const started = performance.now();
  const body = randomBytes(TRANSFER_BYTES);
  const answer = await client.json({ method: 'POST', path: '/link/echo', body, ...bounded(signal) });
  const echo = expectShape(answer, LinkEcho, client.link.url);
  assertSame(echo.bytes, echo.sha256, createHash('sha256').update(body).digest('hex'));
  return rate(started);
}

function assertSame(bytes: number, actual: string, expected: string): void {
  if (bytes === TRANSFER_BYTES && actual === expected) return;
  throw new Error(`${TRANSFER_BYTES} bytes were sent and ${bytes} arrived, or they were altered on the way`);
}

function rate(started: number): string {
  const seconds = Math.max(0.001, (performance.now() - started) / 1000);
  return `1 MiB in ${seconds.toFixed(2)} s`;
}

function bounded(signal: AbortSignal | undefined): { readonly signal: AbortSignal } {
  const timeout = AbortSignal.timeout(TRANSFER_TIMEOUT_MS);
  return { signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
}
