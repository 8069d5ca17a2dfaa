/**
 * Methods made from the rows of IMGAPI, named after the operations. A method takes the parts of the path in their
 * order; the body, if the operation has one; and last, in one object, the query parameters and the options
 * of any call. At run time only `operations.json` is needed, which `make docs` writes from the rows: the schemas
 * themselves make a command take half as long again to start.
 */
import type { Static, TObject, TSchema } from 'typebox';
import type { IMGAPI } from '../api/imgapi/operations.ts';
import type { AnswerOf, Operation } from '../api/operation.ts';
import type { Frozen } from '../api/schemas/build.ts';
import { type AnswerShape, readShaped } from './answer-shape.ts';
import type { Call, Caller, CallOptions } from './caller.ts';
import type { Query } from './filter.ts';
import OPERATIONS from './operations.json' with { type: 'json' };

type Rows = typeof IMGAPI;
export type OperationName = keyof Rows;

/** Operations that a row is not enough for: they stream, they have more forms than one, or they are not for clients. */
type ByHand =
  | 'AddImageFile'
  | 'BeginImageUpload'
  | 'AppendImageUpload'
  | 'GetImageFile'
  | 'AddImageIcon'
  | 'PostImageIcon'
  | 'GetImageIcon'
  | 'ListImages'
  | 'GetImage'
  | 'GetImageCopy'
  | 'AdminImportImage'
  | 'ImportImageFromDatacenter'
  | 'AdminImportRemoteImage'
  | 'CreateImageFromVm'
  | 'AdminImportDockerImage'
  | 'AdminImportLxdImage'
  | 'AdminPushDockerImage'
  | 'AdminVerify'
  | 'GetPullLink'
  | 'Root'
  | 'Docs'
  | 'Favicon'
  | 'ListDatasets'
  | 'GetDataset';

export type ImgapiMethods = { readonly [N in Exclude<OperationName, ByHand> as Uncapitalize<N>]: Method<Rows[N]> };

type Method<O extends Operation> = (...args: ArgumentsOf<O>) => Promise<JsonOf<O>>;

type ArgumentsOf<O extends Operation> = [...PathOf<O['path']>, ...BodyOf<O>, ...OptionsOf<O>];

type PathOf<P extends string> = P extends `${string}:${infer Rest}`
  ? Rest extends `${string}/${infer More}`
    ? [part: string, ...PathOf<More>]
    : [part: string]
  : [];

type BodyOf<O> = O extends { readonly body: { readonly json: infer S extends TSchema } }
  ? [body: Frozen<Static<S>>]
  : [];

type OptionsOf<O> =
  Record<never, never> extends ParametersOf<O>
    ? [options?: CallOptions & InHeaders & ParametersOf<O>]
    : [options: CallOptions & InHeaders & ParametersOf<O>];

type ParametersOf<O> = O extends { readonly query: infer Q extends TObject }
  ? Readonly<Omit<Static<Q>, keyof CallOptions>>
  : Record<never, never>;

interface InHeaders {
  /** ETag of the image as it was read. If it has changed since, the answer is 412. */
  readonly ifMatch?: string;
  /** Of CreateImage: with the same one no second image is created. */
  readonly idempotencyKey?: string;
}

type JsonOf<O extends Operation> = Frozen<AnswerOf<O, 3>> | NothingOf<O['replies'][number]>;

type NothingOf<R> = R extends { readonly status: 202 | 204 } ? undefined : never;

interface Row {
  readonly method: Call['method'];
  readonly path: string;
  readonly action?: string;
  readonly since: number;
  readonly hasBody?: boolean;
  readonly answer?: AnswerShape;
}

const ROWS: Readonly<Record<string, Row>> = OPERATIONS as Readonly<Record<string, Row>>;

/** `answerTimeout` in milliseconds of calls that move a file before they answer. */
export const LONG_ANSWER = 3_600_000;
const LONG: ReadonlySet<string> = new Set(['AddImageFileFromUrl', 'ExportImage', 'AdminChangeImageStor', 'CloneImage']);

export function methodsOf(caller: Caller): ImgapiMethods {
  const methods = Object.entries(ROWS).map(([name, row]) => {
    const method = async (...args: unknown[]): Promise<unknown> => {
      const parts = args.splice(0, partsOf(row));
      const body = row.hasBody ? args.shift() : undefined;
      const { ifMatch, idempotencyKey, ...options } = (args.shift() ?? {}) as CallOptions & InHeaders & Query;
      const call = callOf(name as OperationName, parts as string[], options);
      const answer = await caller.send(
        {
          ...call,
          ...(body !== undefined && { json: body }),
          headers: {
            ...(ifMatch !== undefined && { 'if-match': ifMatch }),
            ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
          },
        },
        { ...(LONG.has(name) && { answerTimeout: LONG_ANSWER }), ...options },
      );
      if (answer.status !== 202 && answer.status !== 204) return readShaped(answer, call.answer);
      answer.body.resume();
      return undefined;
    };
    return [name.charAt(0).toLowerCase() + name.slice(1), method];
  });
  return Object.fromEntries(methods) as ImgapiMethods;
}

/** The request that a row describes. The options that every call takes are not sent as parameters. */
export function callOf(name: OperationName, parts: readonly string[], options: CallOptions | Query = {}): Call {
  const row = ROWS[name];
  if (row === undefined) throw new Error(`there is no operation ${name}`);
  const left = [...parts];
  const {
    signal: _,
    account: _a,
    channel: _c,
    requestId: _r,
    answerTimeout: _t,
    idleTimeout: _i,
    ...query
  } = options as CallOptions & Query;
  return {
    method: row.method,
    path: row.path.replace(/:\w+/g, () => encodeURIComponent(left.shift() ?? '')),
    query: { ...(row.action !== undefined && { action: row.action }), ...query },
    ...(row.since === 3 && { version: '~3' }),
    ...(row.answer && { answer: row.answer }),
  };
}

function partsOf({ path }: Row): number {
  return path.split(':').length - 1;
}
