/** What a Manta under test can be told to do wrong. */

export type Fault =
  /** Takes the request and never answers, not even 100 Continue. */
  | { readonly kind: 'hang' }
  /** Resets the connection before anything is done. */
  | { readonly kind: 'reset' }
  /** Does what was asked, then resets the connection instead of answering. */
  | { readonly kind: 'lose answer' }
  /** Resets the connection after so many bytes of the request's body, or of the answer's. */
  | { readonly kind: 'cut'; readonly after: number }
  /** Takes all bytes of an object, stores nothing and never answers. */
  | { readonly kind: 'swallow' }
  /** Stores other bytes than those of the request, as many, and says so. */
  | { readonly kind: 'spoil' }
  /** Sends so many bytes of the answer's body, then nothing more. */
  | { readonly kind: 'stall'; readonly after: number }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      readonly headers?: Record<string, string>;
    };

export interface FaultRule {
  readonly method: string;
  readonly path: RegExp;
  readonly fault: Fault;
  times: number;
}

export class Faults {
  #rules: FaultRule[] = [];
  /** Requests that a rule was applied to. */
  applied = 0;

  /** The next `times` requests of that method whose decoded path matches. */
  add(method: string, path: RegExp, fault: Fault, times = 1): void {
    this.#rules.push({ method, path, fault, times });
  }

  clear(): void {
    this.#rules = [];
  }

  take(method: string, path: string): Fault | undefined {
    const rule = this.#rules.find((one) => one.times > 0 && one.method === method && one.path.test(path));
    if (rule === undefined) return undefined;
    rule.times -= 1;
    this.applied += 1;
    return rule.fault;
  }
}

/** An answer in the form of Manta's errors. */
export function answering(status: number, code: string, headers: Record<string, string> = {}): Fault {
  return { kind: 'answer', status, headers, body: JSON.stringify({ code, message: `${code} on purpose` }) };
}
