/**
 * The one place that writes to standard output and standard error: results go to the first, everything said
 * beside them to the second.
 */
import { redact } from '#lib/text/redact.ts';
import { printableLines } from './printable.ts';

/** What is needed of a stream; process.stdout and process.stderr fit. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Nobody reads the output any more, which is no failure. */
export class ReaderGoneError extends Error {
  override readonly name = 'ReaderGoneError';
}

/** The disk that the output goes to is full, and the like: no fault of the program. */
export class OutputError extends Error {
  override readonly name = 'OutputError';

  constructor(cause: Error) {
    super(`standard output takes no more: ${cause.message}`, { cause });
  }
}

/** A terminal's size in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Characters that JSON leaves as they are and a terminal obeys, or that turn the direction of writing around. */
const RAW_CONTROLS = /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

export class Output {
  /** Aborts when standard output takes no more: with ReaderGoneError, or with what went wrong. */
  readonly closed: AbortSignal;
  readonly #stdout: Sink;
  readonly #stderr: Sink;

  constructor(stdout: Sink, stderr: Sink) {
    const closed = new AbortController();
    this.closed = closed.signal;
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on('error', (cause: NodeJS.ErrnoException) => {
      closed.abort(
        cause.code === 'EPIPE' ? new ReaderGoneError('nobody reads the output', { cause }) : new OutputError(cause),
      );
    });
    // A closed standard error means that nobody wants to be told anything.
    stderr.on('error', () => {});
  }

  /** A result for people; may hold several lines. */
  line(text = ''): void {
    if (!this.closed.aborted) this.#stdout.write(`${printableLines(text)}\n`);
  }

  /** JSON that people read: of commands that show a document, whether they are asked for JSON or not. */
  document(value: unknown): void {
    this.line(escapeControls(JSON.stringify(value, undefined, 2)));
  }

  /** What `--json` shows: one result, on a line of its own. */
  json(value: unknown): void {
    this.line(escapeControls(JSON.stringify(value)));
  }

  /** The same for many: a line for each, so that programs read one after the other. */
  jsonLines(values: Iterable<unknown>): void {
    for (const value of values) this.json(value);
  }

  /** What is said beside the result. */
  note(text = ''): void {
    this.#stderr.write(`${printableLines(redact(text))}\n`);
  }

  /** To steer the terminal behind standard error, where there is one. */
  control(text: string): void {
    this.#stderr.write(text);
  }

  /** Columns of the terminal that shows the results; undefined when it is none, and nothing need fit. */
  get width(): number | undefined {
    const { isTTY, columns = 80 } = this.#stdout;
    return isTTY ? columns || 80 : undefined;
  }

  /** Of the terminal behind standard error; undefined when that is none. */
  get terminal(): TerminalSize | undefined {
    const { isTTY, columns = 80, rows = 24 } = this.#stderr;
    return isTTY ? { columns: columns || 80, rows: rows || 24 } : undefined;
  }
}

export function processOutput(): Output {
  return new Output(process.stdout, process.stderr);
}

function escapeControls(json: string): string {
  return json.replace(RAW_CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
