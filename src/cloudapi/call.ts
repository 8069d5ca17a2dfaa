/** A request to CloudAPI: who asks, for which account, in which version, with which parameters. */
import type { Account } from '#lib/accounts/accounts.ts';
import type { CloudapiVersion } from '#lib/api/cloudapi/form.ts';
import type { CallOptions } from '#lib/client/caller.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Parameters } from '../http-kit/call.ts';
import { RequestCall } from '../http-kit/request-call.ts';
import { imageNotFound, versionNotServed } from './errors.ts';
import type { ImageView } from './translate.ts';

export interface Principal {
  /** Whose key signed. */
  readonly caller: Account;
  /** For whom the request acts: the account of its path. */
  readonly account: Account;
  readonly isAdmin: boolean;
}

/** Its version is undefined when none is served that the client accepts, its identity the login whose key signed. */
export class Call extends RequestCall<CloudapiVersion | undefined, string> {
  #principal: Principal | undefined;
  #parameters: Parameters | undefined;

  /** From here on it is known for whom the request acts. */
  admit(principal: Principal): void {
    this.#principal = principal;
  }

  /** Those of its body came. */
  take(parameters: Parameters): void {
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
  get served(): CloudapiVersion {
    if (this.version !== undefined) return this.version;
    throw versionNotServed(this.headers);
  }

  get view(): ImageView {
    return { version: this.served, account: this.account.uuid };
  }

  /** The image of the path. @throws 404 */
  get imageId(): string {
    const { id = '' } = this.params;
    if (isUuid(id)) return id;
    throw imageNotFound(id);
  }

  /** For a call of IMGAPI on behalf of the account. */
  get onBehalf(): CallOptions {
    return { account: this.account.uuid, requestId: this.requestId, signal: this.signal };
  }

  /** For a call of IMGAPI as the operator. */
  get asOperator(): CallOptions {
    return { requestId: this.requestId, signal: this.signal };
  }
}
