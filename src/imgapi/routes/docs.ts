/** The API's documentation, as this version has it. */
import { readFile } from 'node:fs/promises';
import type { Reply, Route } from '../call.ts';

const INDEX = new URL('../../../docs/index.md', import.meta.url);

/** @param base path that goes before all others where clients are */
export function docsRoutes(base: string): Route[] {
  async function toDocs(): Promise<Reply> {
    return { status: 301, headers: { Location: `${base}/docs/` }, text: '' };
  }
  async function docs(): Promise<Reply> {
    return { text: await readFile(INDEX, 'utf8'), headers: { 'Content-Type': 'text/markdown; charset=utf-8' } };
  }
  return [
    { name: 'Root', method: 'GET', path: '/', auth: 'none', handler: toDocs },
    { name: 'Docs', method: 'GET', path: '/docs', auth: 'none', handler: docs },
  ];
}
