/**
 * The form in which an API is described: a row for each operation, in a map by the operation's name. Routing,
 * validation, labels, the client and the documents all derive from the rows, so nothing is said twice.
 */
import type { Static, TObject, TSchema } from 'typebox';
import type { Missing } from './wording.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * `strict`: signed where the server's `authType` is signature. `passive`: a signature, if there is one, must verify.
 * `lenient`: a signature that verifies tells who asks; any other is ignored, as if there were none.
 * `operator`: the same as passive, and the handler checks any other credential. `none`: open to everyone who reaches the port.
 */
export type Authentication = 'strict' | 'passive' | 'lenient' | 'operator' | 'none';

/**
 * Who may succeed, given the right image. `nobody` has no signature where signatures are in use;
 * `stranger` is an account without a relation to the image, or any account where there is no image; `datacenter` is one
 * that is linked.
 */
export const CALLERS = ['nobody', 'stranger', 'sharee', 'owner', 'operator', 'datacenter'] as const;
export type CallerKind = (typeof CALLERS)[number];

/**
 * One operation of an API; an action of a route is an operation of its own. HEAD is served wherever GET is.
 *
 * @typeParam V the API's versions, oldest first
 * @typeParam E the codes of its errors
 */
export interface Operation<V = unknown, E extends string = string> {
  /** One sentence, which begins with a verb: "Returns the manifest of an image." */
  readonly summary: string;
  /** What else the author of a client has to know; Markdown. */
  readonly description?: string;
  readonly method: Method;
  /** `/images/:uuid/file`; its parts are described by `params`. */
  readonly path: string;
  /** The value of the `action` parameter that chooses this operation among those of its method and path. */
  readonly action?: string;
  /** Also chosen when there is no `action` parameter. */
  readonly isDefaultAction?: true;
  /** Labels of the operations of one method and path that an older server did not tell apart. */
  readonly route?: string;
  /** The first version that has this operation; earlier versions refuse it. */
  readonly since: V;
  /** How earlier versions refuse it, if not before all other checks and under the name of its action or operation. */
  readonly refusal?: {
    /** What the message calls it. */
    readonly as?: string;
    /** Whether callers who may not see the image are told that it is not found. */
    readonly after?: 'visibility';
  };
  /** Served only by a server with accounts (`dc` mode), or with channels. */
  readonly where?: 'accounts' | 'channels';
  /** Kept for old clients only. */
  readonly deprecated?: true;
  readonly auth: Authentication;
  readonly callers: readonly CallerKind[];
  /** The parts of the path. */
  readonly params?: TObject;
  /** Values as the handler reads them, for example a boolean where the request has text. See `parameters.ts`. */
  readonly query?: TObject;
  /** Request headers that mean something to this operation, in lower case. */
  readonly headers?: TObject;
  readonly body?: RequestBody;
  /** Answers that are not errors. */
  readonly replies: readonly Reply<V>[];
  /** Codes of its errors, besides those that every operation of the API has. */
  readonly errors: readonly E[];
}

/** The body of a request. An optional one may be left out. `maxBytes`: given if it is below the server's own limit. */
export type RequestBody =
  | { readonly json: TSchema; readonly optional?: true; readonly check?: BodyCheck; readonly maxBytes?: number }
  /** Raw bytes of one of these media types. */
  | { readonly bytes: readonly string[]; readonly limit?: ByteLimit }
  /** JSON, or nothing, with a digest that the request's signature covers. */
  | { readonly signed: TSchema; readonly optional?: true; readonly check?: BodyCheck };

/** In bytes: the default of a server, and the configuration setting that overrides it. */
export interface ByteLimit {
  readonly byDefault: number;
  readonly setting: string;
}

/**
 * How a body of a fixed form is checked against its schema: `fields`, each when the handler reads it; `whole`, before
 * the handler gets it. Without it the handler has its own validators, as for manifests.
 */
export type BodyCheck = 'fields' | 'whole';

/** At most one of `json`, `lines`, `text` and `bytes`; with none of them the answer has no body. */
export interface Reply<V = unknown> {
  readonly status: number;
  /** The versions that have this form; absent: all of them. */
  readonly versions?: readonly V[];
  /** When this answer is given, if it is not the one that the summary describes. */
  readonly when?: string;
  readonly headers?: TObject;
  readonly json?: TSchema;
  /** One JSON value per line (`application/x-json-stream`), if the request accepts that. */
  readonly lines?: TSchema;
  /** Media type of a text. */
  readonly text?: string;
  /** The answer has one of these media types. */
  readonly bytes?: readonly string[];
}

/** The operations of an API by name, such as `GetImage`. */
export type Operations<V = unknown, E extends string = string> = Readonly<Record<string, Operation<V, E>>>;

/**
 * The query of a request, as the handler reads it. A parameter whose schema says what to answer when it is missing is
 * never undefined; any other may be, even if the row requires it, and the handler says what is missing.
 */
export type QueryOf<O extends Operation> = O extends { readonly query: infer Q extends TObject }
  ? FieldsOf<Q>
  : Readonly<Record<never, never>>;

/** The body of a request, where the row says how it is checked. */
export type BodyOf<O extends Operation> = O extends { readonly body: infer B }
  ? B extends
      | { readonly check: infer C; readonly json: infer S }
      | { readonly check: infer C; readonly signed: infer S }
    ? S extends TObject
      ? C extends 'whole'
        ? Static<S>
        : FieldsOf<S>
      : never
    : never
  : never;

/** Each field is checked when it is read. */
type FieldsOf<S extends TObject> = Readonly<
  Partial<Static<S>> & Required<Pick<Static<S>, NeededIn<S> & keyof Static<S>>>
>;

type NeededIn<S extends TObject> = {
  [K in keyof S['properties']]: S['properties'][K] extends { readonly missing: Missing } ? K : never;
}[keyof S['properties']];

/** The JSON of the answers in a version. */
export type AnswerOf<O extends Operation, V = unknown> = JsonOf<O['replies'][number], V>;

type JsonOf<R extends Reply, V> = R extends { readonly json: infer J extends TSchema }
  ? R extends { readonly versions: readonly (infer W)[] }
    ? V extends W
      ? Static<J>
      : unknown extends V
        ? Static<J>
        : never
    : Static<J>
  : never;
