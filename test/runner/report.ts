/** The text of a run: a line per file, failures in full, and the closing line. */
import { inspect } from 'node:util';
import type { Counts, Failure, FileResult } from './results.ts';

/** Diagnostics that only repeat what the rest says, or tell of the runner itself. */
const REDUNDANT = new Set([
  'at',
  'compare',
  'test',
  'source',
  'stdio',
  'cwd',
  'externalID',
  'command',
  'args',
  'jobId',
]);

export function fileText(result: FileResult): string {
  const { passed, failed, skipped } = result.counts;
  const parts = [`${passed} passed`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  const seconds = (result.milliseconds / 1000).toFixed(1);
  const line = `${failed > 0 ? 'FAIL' : 'ok  '} ${result.file}  ${parts.join(', ')}  ${seconds} s`;
  return [line, ...result.failures.map(failureText)].join('\n');
}

function failureText({ path, message, diagnostics }: Failure): string {
  const at = diagnostics['at'] as { fileName?: string; lineNumber?: number } | undefined;
  const place = at?.fileName ? `  (${at.fileName}:${at.lineNumber})` : '';
  const lines = [`     ${path.slice(1).join(' > ') || path[0]}`, `       ${message}${place}`];
  for (const [key, value] of Object.entries(diagnostics)) {
    if (REDUNDANT.has(key) || value === null || value === undefined) continue;
    const text = typeof value === 'string' ? value.trimEnd() : inspect(value, { depth: 8 });
    lines.push(`       ${key}: ${text.includes('\n') ? `\n${indent(text, 9)}` : text}`);
  }
  return lines.join('\n');
}

function indent(text: string, columns: number): string {
  return text.replaceAll(/^/gm, ' '.repeat(columns));
}

export function skipText(skips: ReadonlyMap<string, number>): string {
  return [...skips].map(([reason, times]) => `skipped ${times}: ${reason}`).join('\n');
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
