import type { OperationObserver } from '../../runtime/operation-observer.ts';
import { NIL_UUID } from '../../text/uuid.ts';
import type { Accounts } from '../accounts.ts';
import { breakCircuit, type CircuitOptions } from '../circuit.ts';
import { observeAccounts } from '../observed.ts';
import { UfdsDirectory } from './directory.ts';
import type { UfdsOptions } from './options.ts';

export interface OpenUfdsOptions extends UfdsOptions, CircuitOptions {
  readonly observer?: OperationObserver;
}

/** Waits for nothing: a directory that is down is no reason not to start. The log tells at once whether it can be used. */
export function openUfds(options: OpenUfdsOptions): Accounts {
  const accounts = breakCircuit(observeAccounts(new UfdsDirectory(options), options.observer), options);
  accounts.byUuid(NIL_UUID).catch(() => undefined);
  return accounts;
}
