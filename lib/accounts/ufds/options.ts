/** Where the directory is, and who asks it. */
export interface UfdsOptions {
  /** `ldap://` or `ldaps://`, host, perhaps a port. */
  readonly url: string;
  readonly bindDN: string;
  readonly bindPassword: string;
  /** The entry right below which the accounts are. */
  readonly base: string;
  readonly tls: {
    /** Whether a certificate is taken unseen. */
    readonly insecure: boolean;
    /** PEM; absent: the CAs that Node.js knows. */
    readonly ca?: string;
    /** The name in the certificate, if it is not the host of the URL. */
    readonly serverName?: string;
  };
  /** Most connections at a time. */
  readonly maxConnections: number;
  /** Milliseconds for a connection to be made and bound. */
  readonly connectTimeout: number;
  /** Milliseconds within which a look-up ends, whatever happens, connecting apart. */
  readonly timeout: number;
  /** Milliseconds after which an unused connection is closed, before something between here and there drops it. */
  readonly idle: number;
}
