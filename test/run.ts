/**
 * Runs the tests and tells what happened: a line per file, failures in full, and at the end `N passed, N failed`.
 * The raw TAP is left in build/test.tap, what the tests wrote to their standard error in build/test.stderr.
 *
 *   node test/run.ts [--needs-packages] [--again] [--counts FILE] [--add FILE] [--output DIR] [PATH...]
 *
 * --needs-packages  the tests that need Debian packages, instead of all others
 * --again           run a file that failed once more alone, when all others have ended; what it does then counts, and it is
 *                   named as one that failed beside others. More than a few are no accident, and are not run again.
 * --counts FILE     leave the counts in FILE instead of a closing line
 * --add FILE        begin with the counts that another run left in FILE
 * --output DIR      leave those files in DIR instead of build
 *
 * With IMGAPI_ALL_ENGINES=1 in the environment a skipped test is a failure.
 */
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { testFiles } from './runner/files.ts';
import { beginRun, removeLeftovers } from './runner/own-run.ts';
import { closingLine, fileText, skipText } from './runner/report.ts';
import { add, type Counts, type FileResult, fileResults } from './runner/results.ts';
import { runDirectory } from './runner/run-directory.ts';
import { spawnFiles } from './runner/spawn-files.ts';

const STDERR_LINES = 60;

/** A busy machine makes a few files fail that pass alone; a mistake in the product makes many fail, or fails again. */
const MOST_AGAIN = 5;

const { values: options, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: {
    'needs-packages': { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    counts: { type: 'string' },
    add: { type: 'string' },
    output: { type: 'string', default: 'build' },
  },
});
const TAP = join(options.output, 'test.tap');
const STDERR = join(options.output, 'test.stderr');
const skipsFail = process.env['IMGAPI_ALL_ENGINES'] === '1';

function print(text: string): void {
  if (text !== '') process.stdout.write(`${text}\n`);
}

/** tap tells its children apart by its own variables, which a run within a run must not inherit. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(_?TAP|NODE_OPTIONS)/.test(name));
  return { NODE_COMPILE_CACHE: resolve('build/compile-cache'), ...Object.fromEntries(inherited), ...own.env };
}

/** Whether all files ended well. */
async function runTap(files: readonly string[], onFile: (result: FileResult) => void, suffix = ''): Promise<boolean> {
  const parser = fileResults(onFile);
  const tap = createWriteStream(`${TAP}${suffix}`);
  const said = createWriteStream(`${STDERR}${suffix}`);
  const areGood = await spawnFiles(files, {
    env: cleanEnvironment(),
    onTap: (text) => {
      parser.write(text);
      tap.write(text);
    },
    onStderr: (chunk) => said.write(chunk),
  });
  parser.end();
  await Promise.all([tap, said].map((stream) => finished(stream.end())));
  return areGood;
}

function applySkipRule(result: FileResult): FileResult {
  if (!skipsFail) return result;
  const { passed, failed, skipped } = result.counts;
  const failures = [...result.skips.keys()].map((reason) => ({
    path: [result.file],
    message: `skipped, but every engine must be here: ${reason}`,
    diagnostics: {},
  }));
  return {
    ...result,
    counts: { passed, failed: failed + skipped, skipped: 0 },
    failures: [...result.failures, ...failures],
    skips: new Map(),
  };
}

/** The counts of files that failed, as they do alone. */
async function runAgain(failed: readonly FileResult[]): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [index, { file }] of failed.entries()) {
    const own: Counts = { passed: 0, failed: 0, skipped: 0 };
    const onFile = (raw: FileResult) => {
      const result = applySkipRule(raw);
      add(own, result.counts);
      print(`again: ${fileText(result)}`);
    };
    const isGood = await runTap([file], onFile, `.again-${index}`);
    if (!isGood && own.failed === 0) own.failed = 1;
    if (own.failed === 0) print(`${file} failed beside others and passed alone`);
    add(counts, own);
  }
  return counts;
}

async function run(): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const files = testFiles(paths, options['needs-packages']);
  if (files.length === 0) {
    print(`no test file matches ${paths.join(' ') || 'this run'}`);
    return { ...counts, failed: 1 };
  }
  const skips = new Map<string, number>();
  const seen = new Set<string>();
  const failed: FileResult[] = [];
  const areGood = await runTap(files, (raw) => {
    const result = applySkipRule(raw);
    seen.add(result.file);
    if (result.counts.failed > 0) failed.push(result);
    else add(counts, result.counts);
    for (const [reason, times] of result.skips) skips.set(reason, (skips.get(reason) ?? 0) + times);
    print(fileText(result));
  });
  const unseen = files.filter((file) => !seen.has(file));
  if (unseen.length > 0 || (!areGood && failed.length === 0)) {
    print(`FAIL the run ended early; without a result: ${unseen.join(' ') || 'none'}`);
    counts.failed += Math.max(1, unseen.length);
  }
  const isWorthAgain = options.again && counts.failed === 0 && failed.length <= MOST_AGAIN;
  if (isWorthAgain) add(counts, await runAgain(failed));
  else for (const result of failed) add(counts, result.counts);
  print(skipText(skips));
  return counts;
}

mkdirSync(options.output, { recursive: true });
rmSync(STDERR, { force: true });
const directory = runDirectory();
for (const place of new Set([tmpdir(), directory])) await removeLeftovers(place);
const own = beginRun(directory);
const counts = await run().finally(() => own.end());
if (counts.failed > 0 && existsSync(STDERR)) {
  const said = readFileSync(STDERR, 'utf8').trimEnd().split('\n').slice(-STDERR_LINES).join('\n');
  if (said !== '') print(`\nthe end of ${STDERR}:\n${said}\n`);
}
if (options.add) add(counts, JSON.parse(readFileSync(options.add, 'utf8')));
if (options.counts) writeFileSync(options.counts, JSON.stringify(counts));
else print(closingLine(counts));
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
