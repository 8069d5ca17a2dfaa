/** A request to CloudAPI: who sent it, for which account, in which version, with which parameters. */
import type { Account } from '#lib/accounts/accounts.ts';
import type { CloudapiVersion } from '#lib/api/cloudapi/form.ts';
import type { CallOptions } from '#lib/client/caller.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Parameters } from '../http-kit/call.ts';
import { RequestCall } from '../http-kit/request-call.ts';
import { imageNotFound, versionNotServed } from './errors.ts';
import type { ImageView } from './translate.ts';

export interface Principal {
  /** The account whose key signed. */
  readonly caller: Account;
  /** The account that the request acts for, which is in its path. */
  readonly account: Account;
  readonly isAdmin: boolean;
}

/** `version` is undefined if the client accepts none that is served. `identity` is the login whose key signed. */
export class Call extends RequestCall<CloudapiVersion | undefined, string> {
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

  get view(): ImageView {
    return { version: this.servedVersion, account: this.account.uuid };
  }

  /** The UUID of the image in the path. @throws 404 */
  get imageId(): string {
    const { id = '' } = this.params;
    if (isUuid(id)) return id;
    throw imageNotFound(id);
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
