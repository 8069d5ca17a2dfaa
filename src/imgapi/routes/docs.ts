/** The API's documentation, as this version has it. */
import { readFile } from 'node:fs/promises';
import type { Reply, Route } from '../call.ts';

const DOCS = new URL('../../../docs/', import.meta.url);

/** @param base path that goes before all others where clients are */
export function docsRoutes(base: string): Route[] {
  async function toDocs(): Promise<Reply> {
    return { status: 301, headers: { Location: `${base}/docs/` }, text: '' };
  }
  async function docs(): Promise<Reply> {
    const text = await readFile(new URL('index.md', DOCS), 'utf8');
    return { text, headers: { 'Content-Type': 'text/markdown; charset=utf-8' } };
  }
  // As it is written down: making it anew holds up everybody else for a while.
  async function openApi(): Promise<Reply> {
    return { text: await readFile(new URL('openapi.json', DOCS), 'utf8') };
  }
  return [
    { name: 'Root', method: 'GET', path: '/', auth: 'none', handler: toDocs },
    { name: 'Docs', method: 'GET', path: '/docs', auth: 'none', handler: docs },
    { name: 'OpenApi', method: 'GET', path: '/openapi.json', auth: 'none', handler: openApi },
  ];
}
