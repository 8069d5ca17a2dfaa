/**
 * UFDS in this process: its tree, binds that are checked, pages, and at most 500 entries without them. It compares without regard
 * to case, hides what begins with `_`, and answers a search below an entry that is not there with nothing.
 */
import type { AddressInfo, Socket } from 'node:net';
import ldapjs, { type Filter, type Handler, type SearchRequest, type Server } from 'ldapjs';

export const BIND = { bindDN: 'cn=root', bindPassword: 'secret' };
export const USERS = 'ou=users, o=smartdc';
const MOST_ENTRIES = 500;

/** All values are lists, as in UFDS. */
export type Attributes = Readonly<Record<string, readonly string[]>>;

export interface UfdsDouble {
  /** `ldap://127.0.0.1:PORT`, or `ldaps`. */
  readonly url: string;
  readonly port: number;
  /** By DN, as in `uuid=…, ou=users, o=smartdc`. May be changed at any time. */
  readonly entries: Map<string, Attributes>;
  /** The filters of the searches so far, and the password that binds have to have. */
  readonly searches: string[];
  password: string;
  /** It takes requests and answers none. */
  hangs: boolean;
  /** The same for searches alone: it binds. */
  searchesHang: boolean;
  /** It answers every search so. */
  answersBusy: boolean;
  readonly connections: number;
  takeDown(): Promise<void>;
  /** On the same port. */
  bringUp(): Promise<void>;
}

export interface UfdsDoubleOptions {
  readonly entries?: Iterable<readonly [dn: string, attributes: Attributes]>;
  /** PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

async function startUfdsDouble({ entries = [], tls }: UfdsDoubleOptions = {}): Promise<UfdsDouble> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  const double = {
    entries: new Map(entries),
    searches: [] as string[],
    password: BIND.bindPassword,
    hangs: false,
    searchesHang: false,
    answersBusy: false,
    get url() {
      return `${tls ? 'ldaps' : 'ldap'}://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    get connections() {
      return sockets.size;
    },
    async takeDown() {
      const closed = new Promise<void>((resolve) => (server ? server.close(resolve) : resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      server = undefined;
    },
    async bringUp() {
      const made = ldapjs.createServer(tls);
      // A client that resets its connection is no error of the server's.
      for (const event of ['error', 'clientError']) made.on(event, () => undefined);
      made.server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      made.bind('cn=root', (request, response, next) => {
        if (double.hangs) return;
        if (request.credentials !== double.password) {
          next(new ldapjs.InvalidCredentialsError());
          return;
        }
        response.end();
        next();
      });
      made.search('o=smartdc', searching(double));
      await new Promise<void>((resolve) => made.listen(port, '127.0.0.1', resolve));
      port = (made.server.address() as AddressInfo).port;
      server = made;
    },
  };
  await double.bringUp();
  return double;
}

function searching(
  double: Pick<UfdsDouble, 'entries' | 'searches' | 'hangs' | 'searchesHang' | 'answersBusy'>,
): Handler<SearchRequest> {
  return (request, response, next) => {
    double.searches.push(request.filter.toString());
    if (double.hangs || double.searchesHang) return;
    if (double.answersBusy) return next(new ldapjs.BusyError());
    if (request.connection.ldap.bindDN.toString() !== 'cn=root') {
      return next(new ldapjs.InsufficientAccessRightsError());
    }
    const found = matching(double.entries, request);
    const page = request.controls.find(({ type }) => type === ldapjs.PagedResultsControl.OID)?.value;
    if (!page && found.length > MOST_ENTRIES) return next(new ldapjs.SizeLimitExceededError());
    const from = Number(page?.cookie.toString() ?? 0);
    const to = page ? from + Math.min(page.size, MOST_ENTRIES) : found.length;
    for (const [dn, attributes] of found.slice(from, to)) response.send({ dn, attributes: shown(attributes) });
    if (page) {
      const cookie = Buffer.from(to < found.length ? String(to) : '');
      response.addControl(new ldapjs.PagedResultsControl({ value: { size: found.length, cookie } }));
    }
    response.end();
    next();
  };
}

/** A sub-user's login is kept with its account before it, and shown without. */
function shown(attributes: Attributes): Attributes {
  const { objectclass = [], login = [] } = attributes;
  if (!objectclass.includes('sdcaccountuser')) return { ...attributes };
  return { ...attributes, login: login.map((text) => text.replace(/^[^/]*\//, '')) };
}

function matching(
  entries: UfdsDouble['entries'],
  { dn, scopeName, filter }: SearchRequest,
): (readonly [string, Attributes])[] {
  const base = normalized(dn.toString());
  const uuids = uuidsOf(filter);
  // Ten thousand entries are looked through only by searches that do not say which they want.
  const candidates =
    uuids && base === normalized(USERS) ? uuids.map((uuid) => `uuid=${uuid}, ${USERS}`) : entries.keys();
  return [...candidates].flatMap((name) => {
    const attributes = entries.get(name);
    const isThere = scopeName === 'base' ? normalized(name) === base : parentOf(name) === base;
    return attributes && isThere && matches(filter, attributes) ? [[name, attributes] as const] : [];
  });
}

function matches({ type, attribute = '', value = '', filters = [] }: Filter, attributes: Attributes): boolean {
  switch (type) {
    case 'AndFilter':
      return filters.every((filter) => matches(filter, attributes));
    case 'OrFilter':
      return filters.some((filter) => matches(filter, attributes));
    case 'EqualityFilter':
      return (attributes[attribute] ?? []).some((one) => comparable(one) === comparable(value));
    default:
      throw new Error(`the double knows no ${type}`);
  }
}

function comparable(value: string): string {
  return value.trim().toLowerCase();
}

/** Undefined if it asks for others too. */
function uuidsOf({ attribute, value = '', filters = [] }: Filter): string[] | undefined {
  if (attribute !== undefined) return attribute === 'uuid' ? [value] : undefined;
  const below = filters.map(uuidsOf).filter((uuids) => uuids !== undefined);
  return below.length === 0 ? undefined : below.flat();
}

function normalized(dn: string): string {
  return dn.replace(/\s*,\s*/g, ',').toLowerCase();
}

function parentOf(dn: string): string {
  return normalized(dn).replace(/^[^,]*,/, '');
}

/** Stops it with the test. */
export async function ufdsDoubleFor(
  t: { teardown(handler: () => Promise<void>): unknown },
  options?: UfdsDoubleOptions,
): Promise<UfdsDouble> {
  const double = await startUfdsDouble(options);
  t.teardown(() => double.takeDown());
  return double;
}
