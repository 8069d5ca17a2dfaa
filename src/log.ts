/**
 * The log of a process: bunyan's lines on standard error. Writing there holds the thread, so the many lines of everyday
 * requests are written together, a tenth of a second late; what is a warning or worse is out at once, with all that
 * came before it.
 */
import bunyan, { type LogLevel } from 'bunyan';

const DELAY_MS = 100;
/** Characters that are kept back at the most. */
const MOST_PENDING = 64 * 1024;

type Output = (text: string) => unknown;

/** What is left is written when the process exits; only a SIGKILL takes the last tenth of a second with it. */
export function createLog(name: string, level: LogLevel): bunyan {
  const lines = new LogLines((text) => process.stderr.write(text));
  process.on('exit', () => lines.flush());
  return bunyan.createLogger({
    name,
    serializers: bunyan.stdSerializers,
    streams: [{ level, type: 'raw', stream: lines }],
  });
}

/** A raw stream of bunyan: takes the records as objects. */
export class LogLines {
  readonly #output: Output;
  #pending = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  write(record: object): void {
    this.#pending += `${toJson(record)}\n`;
    const { level } = record as { readonly level?: number };
    if (this.#pending.length >= MOST_PENDING || level === undefined || level >= bunyan.WARN) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), DELAY_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    this.#output(text);
  }
}

function toJson(record: object): string {
  try {
    return JSON.stringify(record);
  } catch {
    return JSON.stringify(record, bunyan.safeCycles());
  }
}
