/**
 * Finds the objects in a text of many: each in a line, or each from a line `{` to the next `}` at the same depth. What is
 * neither is given as it is, a line at a time, so that one broken object hides no other. Brackets and empty lines between
 * them do not count; a comma behind one is part of it.
 */
import type { FileHandle } from 'node:fs/promises';

export interface DumpedText {
  /** Of its first line, from 1. */
  readonly line: number;
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}

const BETWEEN = /^\s*(?:[[\],]\s*)?$/;
const OPENS = /^(\s*)\{\s*$/;
/** Enough of a line to tell what it is. */
const HEAD_BYTES = 128;

interface Line extends DumpedText {
  /** Its beginning. */
  readonly head: string;
}

export async function* dumpedTexts(handle: FileHandle): AsyncGenerator<DumpedText> {
  let open: { first: Line; close: RegExp } | undefined;
  for await (const line of linesOf(handle)) {
    const opens = OPENS.exec(line.head);
    if (open?.close.test(line.head)) {
      const { line: first, offset } = open.first;
      yield { line: first, offset, length: line.offset + line.length - offset };
      open = undefined;
    } else if (open && !/^\{/.test(line.head)) {
      // Within the object that was opened.
    } else {
      // Where another begins, the one before has no end.
      if (open) yield open.first;
      open = undefined;
      if (opens) open = { first: line, close: new RegExp(`^${opens[1]}\\},?\\s*$`) };
      else if (!BETWEEN.test(line.head)) yield line;
    }
  }
  if (open) yield open.first;
}

const PIECE = 256 * 1024;
const NEWLINE = 0x0a;
const MARK = Buffer.from('\uFEFF');

async function* linesOf(handle: FileHandle): AsyncGenerator<Line> {
  const piece = Buffer.alloc(PIECE);
  let line = 1;
  let start = await markLength(handle);
  let head = Buffer.alloc(0);
  for (let at = start; ; ) {
    const { bytesRead } = await handle.read(piece, 0, PIECE, at);
    for (let from = 0; from < bytesRead; ) {
      const found = piece.subarray(from, bytesRead).indexOf(NEWLINE);
      const end = found < 0 ? bytesRead : from + found;
      if (head.length < HEAD_BYTES) {
        head = Buffer.concat([head, piece.subarray(from, Math.min(end, from + HEAD_BYTES - head.length))]);
      }
      from = end + 1;
      if (found < 0) continue;
      yield { line, offset: start, length: at + end - start, head: head.toString('latin1') };
      line += 1;
      start = at + end + 1;
      head = Buffer.alloc(0);
    }
    at += bytesRead;
    if (bytesRead > 0) continue;
    if (at > start) yield { line, offset: start, length: at - start, head: head.toString('latin1') };
    return;
  }
}

/** Where lines begin: a mark of the byte order is none of them. */
async function markLength(handle: FileHandle): Promise<number> {
  const { buffer } = await handle.read(Buffer.alloc(MARK.length), 0, MARK.length, 0);
  return buffer.equals(MARK) ? MARK.length : 0;
}
