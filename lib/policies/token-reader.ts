/** Reads the words of a rule one after the other. */
import { RuleError } from './rule-error.ts';
import type { Token } from './tokens.ts';

const ALL = ['all', 'everything', 'anything', '*'];
const CONDITIONS = ['if', 'when', 'where'];
/** They mean something to the language, so that as names they must be in quotes. */
const RESERVED = new Set(['and', 'or', 'not', 'can', 'to', 'in', ...ALL, ...CONDITIONS]);
const END: Token = { kind: 'end', text: '' };

export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  get isAtEnd(): boolean {
    return this.next === END;
  }

  get isAtAll(): boolean {
    return this.next.kind === 'word' && ALL.includes(this.next.text.toLowerCase());
  }

  get isAtConditions(): boolean {
    return this.next.kind === 'word' && CONDITIONS.includes(this.next.text.toLowerCase());
  }

  /** Whether the next token can be a name or a value. */
  get isAtText(): boolean {
    const { kind, text } = this.next;
    return kind === 'quoted' || (kind === 'word' && !RESERVED.has(text.toLowerCase()));
  }

  /** Takes the next token if it is this keyword or sign. */
  takes(text: string): boolean {
    const { kind, text: next } = this.next;
    const isIt = (kind === 'word' && next.toLowerCase() === text) || (kind === 'sign' && next === text);
    if (isIt) this.#at += 1;
    return isIt;
  }

  /** @param what completes "it has … where WHAT was expected". @throws RuleError if the next is none */
  text(what: string): string {
    if (this.isAtText) return this.any().text;
    throw this.unexpected(what);
  }

  any(): Token {
    const { next } = this;
    this.#at += 1;
    return next;
  }

  unexpected(what: string): RuleError {
    const has = this.isAtEnd ? 'it ends' : `it has "${this.next.text}"`;
    return new RuleError(`${has} where ${what} was expected`);
  }
}
