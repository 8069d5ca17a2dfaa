/** PUT, GET, HEAD and DELETE of directories. */
import { MantaFault } from './errors.ts';
import { answer, type Exchange } from './exchange.ts';
import { type Directory, type Node, newDirectory } from './tree.ts';

const MOST_LISTED = 1024;
const USUALLY_LISTED = 256;
const ROOT_MTIME = '2013-05-22T17:39:43.714Z';
const TYPE = 'application/x-json-stream; type=directory';

export function putDirectory(exchange: Exchange): void {
  const { parts, tree, now } = exchange;
  if (parts.length > 2 && tree.find(parts)?.kind !== 'directory') tree.put(parts, newDirectory(now()));
  answer(exchange, 204);
}

export function readDirectory(exchange: Exchange, directory: Directory): void {
  const { query, method, parts } = exchange;
  for (const [name, bad] of [
    ['sort', 'none'],
    ['skip_owner_check', 'true'],
  ] as const) {
    if (query.get(name) === bad) throw new MantaFault('QueryParameterForbidden', `${name}=${bad} is for operators`);
  }
  const headers = { 'content-type': TYPE, 'result-set-size': directory.children.size };
  if (method === 'HEAD') {
    answer(exchange, 200, { ...headers, 'last-modified': directory.mtime.toUTCString() });
    return;
  }
  const shown = page([...directory.children], query, parts.length < 2);
  answer(exchange, 200, headers, shown.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

type Line = Readonly<Record<string, unknown>> & { readonly name: string; readonly mtime: string };

function page(children: readonly [string, Node][], query: URLSearchParams, isRoot: boolean): Line[] {
  const limit = limitOf(query.get('limit'));
  const byTime = query.get('sort') === 'mtime';
  const key = (line: Line): string => (byTime ? line.mtime : line.name);
  // Names in order, times the newest first.
  const forward = byTime === (query.get('sort_order') === 'reverse') ? 1 : -1;
  const lines = children.map(([name, node]) => lineOf(name, node, isRoot));
  lines.sort((a, b) => forward * Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b))));
  const marker = query.get('marker');
  // The marker itself is in the answer.
  const from = marker
    ? lines.filter((line) => forward * Buffer.compare(Buffer.from(key(line)), Buffer.from(marker)) >= 0)
    : lines;
  return from.slice(0, limit);
}

function limitOf(text: string | null): number {
  const limit = Number(text || Number.NaN);
  if (Number.isNaN(limit)) return USUALLY_LISTED;
  if (limit < 1 || limit > MOST_LISTED) {
    throw new MantaFault('InvalidArgumentError', `limit ${limit} is invalid: must be between [1, 1024]`);
  }
  return limit;
}

function lineOf(name: string, node: Node, isRoot: boolean): Line {
  const mtime = isRoot ? ROOT_MTIME : node.mtime.toISOString();
  if (node.kind === 'directory') return { name, type: 'directory', mtime };
  const { etag, bytes, contentType, md5, copies } = node;
  return { name, etag, size: bytes.length, type: 'object', contentType, contentMD5: md5, mtime, durability: copies };
}

export function deleteDirectory(exchange: Exchange, directory: Directory): void {
  const { parts, path, tree } = exchange;
  if (directory.children.size > 0) throw new MantaFault('DirectoryNotEmpty', `${path} is not empty`);
  tree.remove(parts);
  answer(exchange, 204);
}
