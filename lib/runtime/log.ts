/**
 * The log of a process: bunyan's lines on standard error. Writing there holds the thread, so the many lines of everyday
 * requests are written together, a tenth of a second late; what is a warning or worse is out at once, with all that
 * came before it. Lines that cannot be written are dropped, and how many there were is said as soon as one can.
 */
import { hostname } from 'node:os';
import bunyan, { type LogLevel } from 'bunyan';
import { redact } from '#lib/text/redact.ts';
import { type LogOutput, standardError } from './log-output.ts';

const DELAY_MS = 100;
/** The version of bunyan's records. */
const FORMAT = 0;
/** Characters that are kept back at the most. */
const MOST_PENDING = 64 * 1024;

/** What is left is written when the process exits; only a SIGKILL takes the last tenth of a second with it. */
export function createLog(name: string, level: LogLevel): bunyan {
  const lines = new LogLines(standardError(), name);
  process.on('exit', () => lines.flush());
  return bunyan.createLogger({
    name,
    serializers: bunyan.stdSerializers,
    streams: [{ level, type: 'raw', stream: lines }],
  });
}

/** A raw stream of bunyan: takes the records as objects. */
export class LogLines {
  readonly #output: LogOutput;
  readonly #name: string;
  #pending = '';
  #timer: NodeJS.Timeout | undefined;
  /** Of the dropped lines, those that the log tells of already. */
  #told = 0;
  /** Lines of our own about dropped lines that were dropped in their turn. */
  #lostNotes = 0;

  /** @param name of the log whose lines these are */
  constructor(output: LogOutput, name: string) {
    this.#output = output;
    this.#name = name;
  }

  /** Lines that could not be written since the start. */
  get dropped(): number {
    return this.#output.dropped - this.#lostNotes;
  }

  write(record: object): void {
    const { level = bunyan.WARN } = record as { readonly level?: number };
    this.writeLine(toJson(record));
    if (level >= bunyan.WARN) this.flush();
  }

  /** A record of everyday, as JSON. */
  writeLine(json: string): void {
    this.#pending += `${json}\n`;
    if (this.#pending.length >= MOST_PENDING) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), DELAY_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    const { dropped } = this;
    if (dropped === this.#told) this.#output.write(text);
    else if (this.#output.write(`${this.#droppedLine(dropped - this.#told)}\n${text}`)) this.#told = dropped;
    else this.#lostNotes += 1;
  }

  #droppedLine(dropped: number): string {
    const record = { name: this.#name, hostname: hostname(), pid: process.pid, level: bunyan.WARN, dropped };
    return JSON.stringify({ ...record, msg: 'log lines could not be written', time: new Date(), v: FORMAT });
  }
}

/** Lines of this log that could not be written since the start of the process. */
export function droppedLines(log: bunyan): number {
  const { streams } = log as unknown as { streams: readonly { readonly stream: unknown }[] };
  return streams.reduce((sum, { stream }) => sum + (stream instanceof LogLines ? stream.dropped : 0), 0);
}

/**
 * Writes what `log.info(fields, message)` would, in a third of the time: what all records have in common is made JSON
 * once. For those who write one for every request. `fields` are some plain values, to which no serializer applies.
 */
export function infoWriter(log: bunyan, message: string): (fields: object) => void {
  const { fields: common, streams } = log as unknown as { fields: object; streams: { stream: unknown }[] };
  const [only] = streams;
  if (streams.length !== 1 || !(only?.stream instanceof LogLines)) return (fields) => log.info(fields, message);
  const lines = only.stream;
  const head = JSON.stringify({ ...common, level: bunyan.INFO, v: FORMAT, msg: message }).slice(0, -1);
  return (fields) => {
    if (log.info()) lines.writeLine(`${head},"time":"${new Date().toISOString()}",${JSON.stringify(fields).slice(1)}`);
  };
}

/** What cannot be made JSON in any way is told by its message alone: logging never throws. */
function toJson(record: object): string {
  try {
    return JSON.stringify(record, shown);
  } catch {
    return toJsonInParts(record);
  }
}

/** No line of the log lets its reader in anywhere. */
function shown(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? redact(value) : value;
}

function toJsonInParts(record: object): string {
  try {
    return JSON.stringify(JSON.parse(JSON.stringify(record, bunyan.safeCycles())), shown);
  } catch {
    const { name, level, msg, pid } = record as Readonly<Record<string, unknown>>;
    return JSON.stringify({ name: String(name), pid, level, msg: redact(String(msg)), time: new Date(), v: FORMAT });
  }
}
