/** Reads options and arguments apart, with messages that say what would be right. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { suggestion } from '#lib/text/suggest.ts';
import { usageError } from './errors.ts';
import { type OptionSpec, type Options, spellOption } from './options.ts';

export type OptionValue = string | boolean | readonly string[] | undefined;

export interface Parsed {
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly positionals: readonly string[];
}

export type Token = OptionToken | PositionalToken;
type OptionToken = {
  readonly kind: 'option';
  readonly index: number;
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
};
type PositionalToken = { readonly kind: 'positional'; readonly index: number; readonly value: string };

export function tokensOf(args: readonly string[], options: Options): Token[] {
  const config: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [
      name,
      { type: type === 'flag' ? ('boolean' as const) : ('string' as const), ...(short !== undefined && { short }) },
    ]),
  );
  // Not strict: the checks of parseArgs know neither the closest option nor what a value is called.
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.filter((token) => token.kind !== 'option-terminator');
}

/** @throws CommandError of usage */
export function parseOptions(args: readonly string[], options: Options): Parsed {
  const values = new Map<string, OptionValue>();
  for (const [name, { type }] of Object.entries(options)) {
    if (type !== 'value') values.set(name, type === 'flag' ? false : []);
  }
  const positionals: string[] = [];
  for (const token of tokensOf(args, options)) {
    if (token.kind === 'positional') positionals.push(token.value);
    else {
      const spec = specOf(token, options);
      values.set(token.name, spec.type === 'flag' ? readFlag(token) : readValue(token, spec, values.get(token.name)));
    }
  }
  return { options: Object.fromEntries(values), positionals };
}

/** @throws CommandError of usage when there is no such option */
export function specOf({ name, rawName }: OptionToken, options: Options): OptionSpec {
  const spec = Object.hasOwn(options, name) ? options[name] : undefined;
  if (spec) return spec;
  throw usageError(`unknown option ${rawName}${suggestion(rawName, Object.keys(options).map(spellOption))}`);
}

function readFlag({ rawName, value }: OptionToken): true {
  if (value === undefined) return true;
  throw usageError(`option ${rawName} takes no value, but ${JSON.stringify(value)} was given`);
}

function readValue({ rawName, value, inlineValue }: OptionToken, spec: OptionSpec, before: OptionValue): OptionValue {
  const { type, check, value: called = 'VALUE' } = spec;
  if (value === undefined || value === '') throw usageError(`option ${rawName} needs a value: ${rawName} ${called}`);
  if (inlineValue === false && value.startsWith('-') && value.length > 1) {
    const inline = rawName.startsWith('--') ? `${rawName}=${value}` : `${rawName}${value}`;
    throw usageError(
      `option ${rawName} needs a value, and ${value} looks like an option; if it is the value, write ${inline}`,
    );
  }
  const items = type === 'list' ? value.split(',').filter((item) => item !== '') : [value];
  for (const item of items) {
    const right = check?.(item);
    if (right !== undefined) throw usageError(`option ${rawName} is ${JSON.stringify(item)}; it must be ${right}`);
  }
  return type === 'list' ? [...(Array.isArray(before) ? before : []), ...items] : value;
}
