/** What is used of moray-filter 1, which ships no types. */
declare module 'moray-filter' {
  class Filter {
    readonly type: 'and' | 'or' | 'not' | 'equal' | 'ge' | 'le' | 'present' | 'substring' | 'approx' | 'ext';
    readonly attribute?: string;
    value?: unknown;
    readonly initial?: string;
    readonly any?: readonly string[];
    readonly final?: string;
    readonly filter?: Filter;
    readonly filters?: readonly Filter[];
    matches(value: object): boolean;
    forEach(visit: (filter: Filter) => void): void;
    toString(): string;
  }

  type Make<O> = new (options: O) => Filter;

  interface Comparison {
    readonly attribute: string;
    readonly value: string;
  }

  const filters: {
    parse(text: string): Filter;
    readonly AndFilter: Make<{ readonly filters: readonly Filter[] }>;
    readonly OrFilter: Make<{ readonly filters: readonly Filter[] }>;
    readonly NotFilter: Make<{ readonly filter: Filter }>;
    readonly EqualityFilter: Make<Comparison>;
    readonly GreaterThanEqualsFilter: Make<Comparison>;
    readonly LessThanEqualsFilter: Make<Comparison>;
    readonly PresenceFilter: Make<{ readonly attribute: string }>;
    readonly SubstringFilter: Make<{ readonly attribute: string; readonly any: readonly string[] }>;
  };
  export default filters;
  export type { Filter };
}
