/** What a command declares of its options, and the values it gets in return. */

export interface OptionSpec {
  /** `flag`: given or not. `value`: the last one counts. `list`: repeated, or separated by commas. */
  readonly type: 'flag' | 'value' | 'list';
  /** One letter. */
  readonly short?: string;
  /** What the help calls the value. */
  readonly value?: string;
  readonly help: string;
  /** What the value must be; undefined when it is right. */
  readonly check?: (value: string) => string | undefined;
}

/** By long name. */
export type Options = Readonly<Record<string, OptionSpec>>;

type ValueOf<Type> = Type extends 'flag' ? boolean : Type extends 'list' ? readonly string[] : string | undefined;

/** A flag that was not given is false, a list that was not given is empty. */
export type OptionValues<O extends Options> = { readonly [Name in keyof O]: ValueOf<O[Name]['type']> };

/** Every program and command has these. */
export const COMMON_OPTIONS = {
  json: { type: 'flag', short: 'j', help: 'Answer as JSON: a line for each result.' },
  help: { type: 'flag', short: 'h', help: 'Show this help.' },
} as const satisfies Options;

/** Of a program and one of its commands: a letter that both use is the command's. */
export function withoutShorts(options: Options, taken: Options): Options {
  const letters = Object.values(taken).map(({ short }) => short);
  return Object.fromEntries(
    Object.entries(options).map(([name, { short, ...spec }]) => [
      name,
      { ...spec, ...(short !== undefined && !letters.includes(short) && { short }) },
    ]),
  );
}

/** As the user would type it. */
export function spellOption(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
