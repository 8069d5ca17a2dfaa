/** A program of its own, to see that the framework knows nothing of any other. */
import type { Arguments } from '#src/cli/framework/arguments.ts';
import type { Command, CommandSpec, Invocation, Program } from '#src/cli/framework/command.ts';
import { CommandError, usageError } from '#src/cli/framework/errors.ts';
import { EXIT } from '#src/cli/framework/exit-codes.ts';
import type { Options } from '#src/cli/framework/options.ts';
import { defineProgram } from '#src/cli/framework/program.ts';

export interface Garden {
  readonly hose: string;
  closed: boolean;
}

function command<const O extends Options, const A extends Arguments>(spec: CommandSpec<Garden, O, A>): Command<Garden> {
  return spec as unknown as Command<Garden>;
}

const water = command({
  name: 'water',
  aliases: ['w'],
  summary: 'water plants',
  description: ['Takes the hose.'],
  arguments: { BED: { help: 'Where.' }, PLANT: { count: 'some', help: 'Which ones.' } },
  options: {
    litres: {
      type: 'value',
      short: 'l',
      value: 'N',
      help: 'How much.',
      check: (value) => (/^\d+$/.test(value) ? undefined : 'a number'),
    },
    only: { type: 'list', short: 'o', value: 'KIND,...', help: 'Which kinds.' },
    fast: { type: 'flag', short: 'F', help: 'In a hurry.' },
  },
  examples: [{ command: 'garden water east rose', what: 'one plant' }],
  async run({ options, arguments: args, context, json, output }) {
    const seen = { options: [options.litres, options.only, options.fast], args, hose: context.hose, json };
    output.json(seen);
    return undefined;
  },
});

const waterStop = command({
  name: 'water stop',
  summary: 'stop the water',
  arguments: { WHEN: { count: 'optional', help: 'When.' } },
  options: {},
  examples: [],
  async run({ arguments: { WHEN: when } }) {
    if (when === undefined) return EXIT.notFound;
    throw usageError(`it cannot be stopped at ${when}`);
  },
});

const plant = command({
  name: 'plant',
  summary: 'plant something',
  arguments: { BED: { count: 'optional', help: 'Where.' }, PLANT: { help: 'What.' } },
  options: {},
  examples: [],
  async run({ arguments: args, context, output }) {
    output.json({ args, hose: context.hose });
    return undefined;
  },
});

/** Ends in the way that is its argument. */
const fail = command({
  name: 'fail',
  summary: 'go wrong',
  arguments: { HOW: { help: 'How.' } },
  options: {},
  examples: [],
  async run(invocation) {
    throw failure(invocation);
  },
});

function failure({ arguments: { HOW: how }, signal }: Invocation<Garden, Options, { HOW: { help: string } }>): unknown {
  if (how === 'known') return new CommandError('bad\nweather', { code: 'Weather', details: ['rain', 'wind'] });
  if (how === 'foreign') return new RangeError('too far');
  if (how === 'aborted') return signal.reason;
  return new Error('a bug');
}

export const gardens: Garden[] = [];

export const garden: Program<Garden> = defineProgram({
  name: 'garden',
  summary: 'grows things',
  version: '1.2.3',
  options: { hose: { type: 'value', short: 'l', value: 'NAME', help: 'Which hose. Default: GARDEN_HOSE.' } },
  environment: { GARDEN_HOSE: 'As --hose.' },
  commands: [water, waterStop, plant, fail],
  open({ hose }, env) {
    const made = { hose: hose ?? env['GARDEN_HOSE'] ?? 'green', closed: false };
    gardens.push(made);
    return made;
  },
  async close(context) {
    context.closed = true;
  },
  explain(error) {
    if (!(error instanceof RangeError)) return undefined;
    return { code: 'Far', message: error.message, details: [], exitCode: EXIT.unreachable };
  },
});
