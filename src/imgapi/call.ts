/** A request to IMGAPI, on the main port or on the listener for other datacenters. */

import { invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import type { Authentication } from '#lib/api/operation.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Handler as AnyHandler, Route as AnyRoute } from '../http-kit/call.ts';
import { RequestCall } from '../http-kit/request-call.ts';
import type { Caller } from '../service/service.ts';

export type { Reply } from '../http-kit/call.ts';

/** Who a request comes from, as the listener's authentication sees it. */
export interface Identity {
  readonly user?: string | undefined;
  readonly datacenter?: string | undefined;
  /** Known by the cookie of a session at the console, and by nothing else. */
  readonly isSession?: true;
  /** UUID of the account whose token came with the request: it is nobody else's, and no operator's. */
  readonly tokenOf?: string | undefined;
}

export class Call extends RequestCall<ImgapiVersion, Identity> implements Caller {
  /** Checked when it is read, because on every route other checks come first. */
  get account(): string | undefined {
    const { account } = this.query;
    if (account === undefined || isUuid(account)) return account;
    throw invalidParameter('account', `account is ${JSON.stringify(account)}; it must be a lower-case UUID`);
  }

  /** Who signed the request; absent when nobody did. */
  get user(): string | undefined {
    return this.identity?.user;
  }

  /** Whether the caller is known by a session at the console only. */
  get isSession(): boolean {
    return this.identity?.isSession === true;
  }

  /** The account whose bearer token came with the request. */
  get tokenOf(): string | undefined {
    return this.identity?.tokenOf;
  }

  /** The linked datacenter that signed the request; only on the link listener. */
  get datacenter(): string | undefined {
    return this.identity?.datacenter;
  }
}

export type Handler = AnyHandler<Call>;

export interface Route extends AnyRoute<Call> {
  readonly auth: Authentication;
}
