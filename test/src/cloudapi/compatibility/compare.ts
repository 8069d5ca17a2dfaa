/** Compares an answer with its row. */
import type { Test } from 'tap';
import type { Assertion, Row } from './row.ts';
import type { Shown } from './world.ts';

export function compare(t: Test, { request, ours, shows, is, sends = {} }: Row, answer: Shown): void {
  const [expected = ''] = ours.split(';');
  t.equal(summaryOf(answer, expected), expected.trim(), request);
  if (shows !== undefined) t.match(answer.json, shows, request);
  if (is !== undefined) t.strictSame(answer.json, is, request);
  for (const [name, value] of Object.entries(sends)) {
    if (value === undefined) t.equal(answer.headers[name], undefined, `${request}: ${name}`);
    else t.match(answer.headers[name], value, `${request}: ${name}`);
  }
}

/** In the form of `ours`. */
function summaryOf({ status, json }: Shown, expected: string): string {
  if (Array.isArray(json) && expected.includes('[')) {
    return `${status} [${(json as { name: string }[]).map(({ name }) => name).join(' ')}]`;
  }
  return json?.code === undefined || status < 300 ? String(status) : `${status} ${json.code}`;
}

/** What the tests of Triton's CloudAPI ask of the headers of every answer that is no error. */
export function checkHeaders(t: Test, { headers }: Pick<Shown, 'headers'>, what: string): void {
  const needed = ['access-control-allow-origin', 'access-control-allow-methods', 'date', 'request-id', 'server'];
  for (const name of [...needed, 'api-version']) t.ok(headers[name], `${what}: ${name}`);
  t.ok(Number(headers['response-time']) >= 0, `${what}: response-time`);
  t.equal(headers['connection'], 'Keep-Alive', `${what}: connection`);
}

const TYPES = { '7.0': ['smartmachine', 'virtualmachine'], '8.0': ['zone-dataset', 'lx-dataset', 'zvol', 'docker'] };

/** And what of the images of a version, alone or in a list. */
export function checkImages(t: Test, { images: version, request }: Assertion, { json }: Shown): void {
  if (version === undefined) return;
  const images = [json].flat() as Record<string, unknown>[];
  t.ok(images.length > 0, request);
  for (const image of images) {
    for (const field of ['id', 'name', 'version', 'type', 'requirements']) t.ok(image[field], `${request}: ${field}`);
    for (const field of ['urn', 'default']) t.equal(image[field], undefined, `${request}: ${field}`);
    t.not(image['name'], 'docker-layer', request);
    t.ok(TYPES[version].includes(String(image['type'])), `${request}: ${image['type']}`);
  }
}
