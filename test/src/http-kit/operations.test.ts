/** Routes from rows: which handler gets a request, with which parameters, and by which names it is known afterwards. */
import bunyan from 'bunyan';
import { test } from 'tap';
import { Type } from 'typebox';
import type { Operation, Operations } from '#lib/api/operation.ts';
import { flag, integer, known, list, needed, oneOf, sha1, text, uuid } from '#lib/api/parameters.ts';
import { auditTo } from '#src/http-kit/audit.ts';
import type { Call } from '#src/http-kit/call.ts';
import type { AnyCall } from '#src/http-kit/listener-options.ts';
import { type Handlers, operationRoutes } from '#src/http-kit/operations.ts';
import { bodyReader, PLAIN, queryReader } from '#src/http-kit/parameters.ts';
import { startListener } from '../../helpers/listener.ts';
import { send } from '../images/fixture.ts';

const row = { summary: 'Tests.', since: 1, auth: 'none', callers: [], replies: [], errors: [] } as const;
const lamp = { ...row, method: 'POST', path: '/lamps/:name', route: 'ChangeLamp' } as const;

const LAMPS = {
  ListLamps: { ...row, method: 'GET', path: '/lamps', query: Type.Object({ lit: Type.Optional(flag('Lit.')) }) },
  LightLamp: { ...lamp, action: 'light' },
  QuenchLamp: { ...lamp, action: 'quench', isDefaultAction: true },
  DimLamp: { ...lamp, action: 'dim', where: 'channels' },
} as const satisfies Operations;

/** Each answers its own name. */
const HANDLERS: Handlers<typeof LAMPS, Call> = {
  ListLamps: async (_call, { lit }) => ({ json: ['ListLamps', lit ?? null] }),
  LightLamp: async () => ({ json: 'LightLamp' }),
  QuenchLamp: async () => ({ json: 'QuenchLamp' }),
  DimLamp: async () => ({ json: 'DimLamp' }),
};

const OPTIONS = {
  isServed: ({ where }: Operation) => where === undefined,
  dispatches: {
    ChangeLamp: { otherwise: async (_call: Call, actions: readonly string[]) => ({ status: 422, json: actions }) },
  },
};

async function serveLamps(t: Parameters<typeof startListener>[0]) {
  const lines = new bunyan.RingBuffer({ limit: 100 });
  const log = bunyan.createLogger({ name: 'test', streams: [{ type: 'raw', stream: lines }] });
  const listener = await startListener(
    t,
    {},
    {
      routes: operationRoutes<typeof LAMPS, AnyCall>(LAMPS, HANDLERS, OPTIONS),
      onDone: auditTo(log, { unlogged: new Set(), describe() {} }),
    },
  );
  const ask = async (method: string, path: string): Promise<unknown> =>
    (await send(listener.url, { method, path })).json;
  return { ask, records: lines.records as unknown as Record<string, unknown>[] };
}

test('an action is an operation, chosen by its name, and known by it in the log', async (t) => {
  const { ask, records } = await serveLamps(t);
  t.same(await ask('GET', '/lamps'), ['ListLamps', null]);
  t.same(await ask('POST', '/lamps/a?action=light'), 'LightLamp');
  t.same(await ask('POST', '/lamps/a?action=quench'), 'QuenchLamp');
  t.same(await ask('POST', '/lamps/a'), 'QuenchLamp', 'what is chosen without a name');
  t.same(await ask('POST', '/lamps/a?action='), 'QuenchLamp', 'an empty name is none');
  for (const query of ['action=nonsense', 'action=toString', 'action=light&action=light']) {
    t.same(await ask('POST', `/lamps/a?${query}`), ['light', 'quench'], query);
  }
  t.same(await ask('POST', '/lamps/a?action=dim'), ['light', 'quench'], 'what this server does not have is no action');
  t.match(records.slice(0, 6), [
    { route: 'ListLamps', operation: 'ListLamps' },
    { route: 'ChangeLamp', operation: 'LightLamp' },
    { route: 'ChangeLamp', operation: 'QuenchLamp' },
    { route: 'ChangeLamp', operation: 'QuenchLamp' },
    { route: 'ChangeLamp', operation: 'QuenchLamp' },
    { route: 'ChangeLamp', operation: undefined },
  ]);
});

test('a parameter is checked when the handler asks for it, and read as what it is', async (t) => {
  const read = queryReader({
    query: Type.Object({
      lit: Type.Optional(flag('')),
      watts: Type.Optional(integer(1, 60, '')),
      colour: Type.Optional(oneOf(['red', 'green'], '')),
      name: Type.Optional(text('')),
      uuid: Type.Optional(uuid('')),
      sha1: Type.Optional(sha1('')),
      room: Type.Optional(known('')),
      tag: Type.Optional(list('')),
    }),
  });
  const right = { lit: 'false', watts: '0060', colour: 'red', name: 'x', room: ['a', 'b'], tag: 'c' };
  const { lit, watts, colour, name, room, tag, uuid: none } = read(right) as Record<string, unknown>;
  t.strictSame({ lit, watts, colour, name, room, tag, none }, { ...right, lit: false, watts: 60, none: undefined });
  for (const [parameter, bad, mustBe] of [
    ['lit', 'True', '"true" or "false"'],
    ['lit', ['true', 'true'], '"true" or "false"'],
    ['watts', '61', 'a whole number from 1 to 60'],
    ['watts', '0x10', 'a whole number from 1 to 60'],
    ['watts', '1e1', 'a whole number from 1 to 60'],
    ['watts', '', 'a whole number from 1 to 60'],
    ['watts', '1000000000000000000001', 'a whole number from 1 to 60'],
    ['colour', 'blue', 'one of red, green'],
    ['name', 'x'.repeat(4097), 'one string of at most 4096 characters'],
    ['name', ['x', 'y'], 'one string of at most 4096 characters'],
    ['uuid', '01234567-89AB-4DEF-8123-456789ABCDEF', 'a lower-case UUID'],
    ['sha1', 'x', 'the SHA-1 of the bytes in hex'],
  ] as const) {
    const given = read({ [parameter]: bad, unknown: 'x' }) as Record<string, unknown>;
    t.equal(given['tag'], undefined, 'what is not asked for is not looked at');
    t.throws(() => given[parameter], {
      code: 'InvalidParameter',
      summary: new RegExp(`^${parameter} is .*; it must be ${mustBe}$`, 's'),
      errors: [{ field: parameter, code: 'Invalid' }],
    });
  }
});

test('what is needed is refused in its own words when the handler asks for it and it is not there', async (t) => {
  const missing = { kind: 'MissingParameter', message: 'name a lamp' } as const;
  const read = queryReader({
    query: Type.Object({
      plain: needed(known(''), { missing }),
      filled: needed(known(''), { missing: { ...missing, also: ['empty'] } }),
      one: needed(known(''), { missing: { ...missing, also: ['empty', 'no text'] } }),
      checked: Type.Optional(needed(uuid(''), { missing })),
    }),
  });
  const ask = (name: string, given: Record<string, unknown>) => () => (read(given) as Record<string, unknown>)[name];
  const error = { code: 'InvalidParameter', summary: 'name a lamp' };
  for (const name of ['plain', 'filled', 'one', 'checked']) {
    t.throws(ask(name, {}), { ...error, errors: [{ field: name, code: 'MissingParameter' }] }, name);
  }
  t.equal(ask('plain', { plain: '' })(), '');
  t.throws(ask('filled', { filled: '' }), error);
  t.strictSame(ask('filled', { filled: ['a', 'b'] })(), ['a', 'b']);
  t.throws(ask('one', { one: '' }), error);
  t.throws(ask('one', { one: ['a', 'b'] }), error);
  t.throws(ask('checked', { checked: 'x' }), { code: 'InvalidParameter', summary: /it must be a lower-case UUID/ });
});

test('the body of a row is checked field by field, or as a whole', async (t) => {
  const form = { ...PLAIN, refuseBody: (mustBe: string) => new Error(`the body must be ${mustBe}`) };
  const colour = Type.Optional(oneOf(['red', 'green'], ''));
  const fields = Type.Object({ colour, watts: Type.Optional(integer(1, 60, '')) });
  const readFields = bodyReader({ json: fields, check: 'fields' }, form) as (given: unknown) => Record<string, unknown>;
  t.equal(readFields({ colour: 'red', watts: 'many' })['colour'], 'red', 'what is not asked for is not looked at');
  t.throws(
    () => readFields({ watts: '5' })['watts'],
    { code: 'InvalidParameter', summary: /^watts is "5"; it must be/ },
    'text is no number',
  );
  for (const nothing of [undefined, null, [], 'x']) t.equal(readFields(nothing)['colour'], undefined);
  const strict = bodyReader({ json: { ...fields, mustBe: 'an object' } as typeof fields, check: 'fields' }, form);
  t.equal((strict(undefined) as Record<string, unknown>)['colour'], undefined);
  t.throws(() => strict([]), { message: 'the body must be an object' });
  const refusal = { about: 'colour', refusal: 'a lamp is red or green' };
  const whole = bodyReader({ json: Type.Object({ colour }, refusal), check: 'whole' }, form);
  t.strictSame(whole({ colour: 'red' }), { colour: 'red' });
  t.throws(() => whole({ colour: 'blue' }), { summary: refusal.refusal, errors: [{ field: 'colour' }] });
});
