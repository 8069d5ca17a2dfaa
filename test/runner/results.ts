/**
 * Reads the TAP of a run and turns it into one result per test file. What is counted are tests that hold no further
 * test; a test with tests below it counts as those, and once more as failed when something of its own fails.
 */
import { Parser, type Result } from 'tap-parser';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface Failure {
  /** File, then the names of the tests down to the one that failed. */
  readonly path: readonly string[];
  readonly message: string;
  readonly diagnostics: Readonly<Record<string, unknown>>;
}

export interface FileResult {
  readonly file: string;
  readonly counts: Counts;
  readonly failures: readonly Failure[];
  /** Why tests were skipped, with the number of them. */
  readonly skips: ReadonlyMap<string, number>;
  readonly milliseconds: number;
}

interface TestNode {
  readonly name: string;
  readonly below: TestNode[];
  readonly own: Result[];
  result?: Result;
}

const NO_TESTS = 'no tests found';

/** A writable for the TAP of a whole run; `onFile` hears each file's result as it ends. */
export function fileResults(onFile: (result: FileResult) => void): Parser {
  const parser = new Parser();
  grow(parser, { name: '', below: [], own: [] }, (node, result) => onFile(summarize(node, result)));
  return parser;
}

/** A child parser is opened for each subtest; the test point that closes it comes right after, or never. */
function grow(parser: Parser, node: TestNode, onPoint?: (below: TestNode, result: Result) => void): void {
  let open: TestNode | undefined;
  parser.on('child', (child: Parser) => {
    open = { name: child.name, below: [], own: [] };
    node.below.push(open);
    grow(child, open);
  });
  parser.on('assert', (result: Result) => {
    const below = open;
    open = undefined;
    if (onPoint) onPoint(below ?? { name: result.name, below: [], own: [] }, result);
    else if (below) below.result = result;
    else node.own.push(result);
  });
}

function summarize(node: TestNode, result: Result): FileResult {
  node.result = result;
  // A file that says nothing before its time is up is known by its diagnostics only.
  const file = diagnosticsOf(result)['expired'] ?? result.name;
  const failures: Failure[] = [];
  const skips = new Map<string, number>();
  const counts = count(node, [String(file)], failures, skips);
  return { file: String(file), counts, failures, skips, milliseconds: result.time ?? 0 };
}

function count(node: TestNode, path: readonly string[], failures: Failure[], skips: Map<string, number>): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const below of node.below) {
    add(counts, count(below, [...path, below.name], failures, skips));
  }
  const bad = node.own.filter((result) => isAssertion(result) && !result.ok);
  for (const result of bad) failures.push({ path, message: result.name, diagnostics: diagnosticsOf(result) });
  for (const result of node.own) countSkip(result, counts, skips);
  const failsItself = bad.length > 0 || (isFailed(node.result) && counts.failed === 0);
  if (failsItself) {
    counts.failed += 1;
    if (bad.length === 0) failures.push(failureOf(path, node.result));
  } else if (node.result && countSkip(node.result, counts, skips)) {
    return counts;
  } else if (node.below.length === 0 && (node.own.length === 0 || node.own.some(isAssertion))) {
    counts.passed += 1;
  }
  return counts;
}

function isAssertion(result: Result): boolean {
  return !result.skip && !result.todo;
}

function isFailed(result: Result | undefined): boolean {
  return result !== undefined && (!result.ok || result.skip === NO_TESTS);
}

/** A test that fails though nothing in it does: it ended too early, was stopped, or is empty. */
function failureOf(path: readonly string[], result: Result | undefined): Failure {
  const diagnostics = result ? diagnosticsOf(result) : {};
  const { signal, exitCode } = diagnostics;
  if (result?.skip === NO_TESTS) return { path, message: 'the file has no tests', diagnostics };
  const ended = signal ? `it was ended by ${signal}` : `it ended with exit code ${exitCode ?? 'unknown'}`;
  const message = 'expired' in diagnostics ? 'it ran out of time' : ended;
  return { path, message, diagnostics };
}

function countSkip(result: Result, counts: Counts, skips: Map<string, number>): boolean {
  const reason = result.skip || result.todo;
  if (!reason) return false;
  const text = reason === true ? 'no reason given' : reason;
  counts.skipped += 1;
  skips.set(text, (skips.get(text) ?? 0) + 1);
  return true;
}

function diagnosticsOf(result: Result): Readonly<Record<string, unknown>> {
  return typeof result.diag === 'object' && result.diag !== null ? result.diag : {};
}

export function add(sum: Counts, more: Counts): void {
  sum.passed += more.passed;
  sum.failed += more.failed;
  sum.skipped += more.skipped;
}
