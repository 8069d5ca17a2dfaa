/** What the S3 double is told to do wrong. */

export type Fault =
  /** Refuses without doing it. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** Does nothing, and answers 200 with a page, as a proxy that wants somebody to sign in. */
  | { readonly kind: 'page' }
  /** Resets the connection without doing it. */
  | { readonly kind: 'cut' }
  /** Does it, and resets the connection instead of answering. */
  | { readonly kind: 'lose' }
  /** Neither does it nor answers, with the connection open. */
  | { readonly kind: 'hang' }
  /** Does it once the promise has resolved. */
  | { readonly kind: 'wait'; readonly until: Promise<unknown> }
  /** Sends this much of the body, then resets the connection or, with `silent`, falls silent. */
  | { readonly kind: 'stop'; readonly after: number; readonly silent?: boolean };

interface Planned {
  readonly operation: string;
  readonly fault: Fault;
  left: number;
}

export class Faults {
  #planned: Planned[] = [];

  /** The next `times` requests of the operation (`UploadPart`; `*`: any) have the fault. */
  plan(operation: string, fault: Fault, times = 1): void {
    this.#planned.push({ operation, fault, left: times });
  }

  clear(): void {
    this.#planned = [];
  }

  next(operation: string): Fault | undefined {
    const found = this.#planned.find((one) => one.left > 0 && [operation, '*'].includes(one.operation));
    if (found) found.left -= 1;
    return found?.fault;
  }
}
