/** A request to CloudAPI: who sent it, for which account, in which version, with which parameters. */
import type { Account, Role, SubUser } from '#lib/accounts/accounts.ts';
import type { CloudapiVersion } from '#lib/api/cloudapi/form.ts';
import type { CallOptions } from '#lib/client/caller.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Parameters } from '../http-kit/call.ts';
import { RequestCall } from '../http-kit/request-call.ts';
import { notFound, versionNotServed } from './errors.ts';
import type { ImageView } from './translate.ts';

/** Whose key signed a request, or whom a token names that another's key may use. */
export interface Signer {
  readonly account: Account;
  /** If it was not the account itself. */
  readonly subUser?: SubUser;
  /** Login of the account whose key signed, if a token made it somebody else's request. */
  readonly application?: string;
  /** Known by a bearer token. Only one that the configuration calls an operator's lets the admin act for others. */
  readonly token?: 'account' | 'operator';
}

/** How logs name it: `alice`, or `alice/deploy` for a sub-user. */
export function nameOf({ account, subUser }: Signer): string {
  return subUser ? `${account.login}/${subUser.login}` : account.login;
}

/** A sub-user that acts for its account. */
export interface ActingSubUser extends SubUser {
  /** The roles that it has taken for this request. */
  readonly roles: readonly Role[];
}

export interface Principal {
  /** The account whose key, or whose sub-user's key, signed. */
  readonly caller: Account;
  /** Whom policies limit; absent: the account itself. */
  readonly subUser?: ActingSubUser;
  /** The account that the request acts for, which is in its path. */
  readonly account: Account;
  readonly isAdmin: boolean;
}

/** `version` is undefined if the client accepts none that is served. `identity` is whose key signed. */
export class Call extends RequestCall<CloudapiVersion | undefined, Signer> {
  #principal: Principal | undefined;
  #parameters: Parameters | undefined;

  /** Sets who sent the request and for which account it acts. */
  admit(principal: Principal): void {
    this.#principal = principal;
  }

  /** Replaces the parameters of the query by these, once the body was read. */
  setParameters(parameters: Parameters): void {
    this.#parameters = parameters;
  }

  get principal(): Principal {
    if (this.#principal) return this.#principal;
    throw new Error('the request is not admitted');
  }

  get account(): Account {
    return this.principal.account;
  }

  override get parameters(): Parameters {
    return this.#parameters ?? this.query;
  }

  /** @throws 400 InvalidVersion */
  get servedVersion(): CloudapiVersion {
    if (this.version !== undefined) return this.version;
    throw versionNotServed(this.headers);
  }

  /** @throws 400 InvalidVersion */
  assertVersion(): void {
    void this.servedVersion;
  }

  get view(): ImageView {
    return { version: this.servedVersion, account: this.account.uuid };
  }

  /** The UUID of the image in the path. @throws 404 */
  get imageId(): string {
    const { id = '' } = this.params;
    if (isUuid(id)) return id;
    throw notFound(id);
  }

  /** For calls to IMGAPI on behalf of the account. */
  get onBehalf(): CallOptions {
    return { account: this.account.uuid, requestId: this.requestId, signal: this.signal };
  }

  /** For calls to IMGAPI as the operator. */
  get asOperator(): CallOptions {
    return { requestId: this.requestId, signal: this.signal };
  }
}
