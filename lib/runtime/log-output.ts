/**
 * Where the lines of the log go: standard error, which may fail at any time (its reader is gone or does not read, its
 * disk is full). Nothing here throws, waits or logs: lines that cannot be written are dropped and counted.
 */
import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

export interface LogOutput {
  /** @param text lines, each with its line break. Returns false if they, or the last of them, were dropped. */
  write(text: string): boolean;
  /** Lines that were dropped so far. */
  readonly dropped: number;
}

/** Characters that may wait for a slow reader; more are dropped. */
const MOST_WAITING = 1024 * 1024;

const STANDARD_ERROR = 2;

export function standardError(): LogOutput {
  const { stderr } = process;
  // Other writes to it, such as Node's warnings, must not end the process either.
  stderr.on('error', () => {});
  return isStream(STANDARD_ERROR) ? new StreamOutput(stderr) : new FileOutput(STANDARD_ERROR);
}

/** Whether Node writes to it asynchronously; writes to files and devices are synchronous. */
function isStream(fd: number): boolean {
  if (isatty(fd)) return true;
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

/** A pipe or a socket: once its reader is gone, it does not come back. */
export class StreamOutput implements LogOutput {
  readonly #stream: NodeJS.WritableStream & { readonly destroyed?: boolean; readonly writableLength: number };
  dropped = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.on('error', () => {});
  }

  write(text: string): boolean {
    const stream = this.#stream;
    if (stream.destroyed || !stream.writable || stream.writableLength > MOST_WAITING) {
      this.dropped += linesIn(text);
      return false;
    }
    stream.write(text, (error) => {
      if (error) this.dropped += linesIn(text);
    });
    return true;
  }
}

/** A file, whose disk may be full now and have room later. */
export class FileOutput implements LogOutput {
  readonly #fd: number;
  /** Whether the last line was cut off partway, so that the next one must begin with a line break. */
  #isTorn = false;
  dropped = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(text: string): boolean {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
      this.#isTorn = false;
      return true;
    } catch {
      this.dropped += linesIn(bytes.subarray(Math.max(written, this.#isTorn ? 1 : 0)).toString('latin1'));
      if (written > 0) this.#isTorn = bytes[written - 1] !== LINE_END;
      return false;
    }
  }
}

const LINE_END = 10;

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}
