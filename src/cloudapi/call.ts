/** A request to CloudAPI as the listener sees it; see `request.ts` for what the handlers get. */
import type { Route as AnyRoute } from '../http-kit/call.ts';
import { RequestCall } from '../http-kit/request-call.ts';
import type { CloudapiVersion } from './versions.ts';

/** Its version is undefined when none is served that the client accepts, its identity the login whose key signed. */
export class Call extends RequestCall<CloudapiVersion | undefined, string> {}

export interface Route extends AnyRoute<Call> {
  /** Needs no signature. */
  readonly isOpen: boolean;
}
