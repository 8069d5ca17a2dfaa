/** How to reach a PostgreSQL database, directly or through PgBouncer, and how long to wait for it. */
export interface PostgresOptions {
  /** A name, an address, or the folder of the server's socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  /** Where the tables are; made if it is not there. */
  readonly schema: string;
  /** Absent: in the clear. */
  readonly tls?: PostgresTls;
  /** Connections that this process has open at most. */
  readonly poolSize: number;
  /** Milliseconds for a connection to be made, or to come free. */
  readonly connectMs: number;
  /** Milliseconds that a statement may take; a connection that says nothing for so long counts as lost. */
  readonly statementMs: number;
  /** Milliseconds for which a call is repeated while the database is away, or others are in its way. */
  readonly patienceMs: number;
  /** Whether statements may stay prepared on a connection; if that turns out not to work, they do not. */
  readonly preparedStatements: boolean;
}

export interface PostgresTls {
  /** PEM of the authorities to believe; absent: those of the system. */
  readonly ca?: string;
  /** The name in the server's certificate, if it is not the host. */
  readonly serverName?: string;
}
