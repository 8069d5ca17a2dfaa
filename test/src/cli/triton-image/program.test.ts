import { execFile } from 'node:child_process';
import { test } from 'tap';
import { tritonImage } from '#src/cli/triton-image/program.ts';
import packageJson from '../../../../package.json' with { type: 'json' };
import { runTritonImage } from './home.ts';

const COMMANDS = tritonImage.commands.map(({ name }) => name);

for (const name of COMMANDS) {
  test(`${name} has help with usage, options and an example that is a command line of it`, async (t) => {
    const { code, stdout } = await runTritonImage([name, '--help']);
    t.equal(code, 0);
    t.match(stdout, new RegExp(`^triton-image ${name} - .+\n(?: {4}.+\n)*\nUsage:\n    triton-image ${name} `));
    t.match(stdout, /\nCommon options:\n[\s\S]*--json[\s\S]*\n\nExamples:\n {4}# .+\n {4}triton-image /);
    t.notMatch(stdout, /.{100}/);
  });
}

test('the help of the program lists every command and what it reads of the environment', async (t) => {
  const { stdout } = await runTritonImage(['--help']);
  for (const name of COMMANDS) t.match(stdout, new RegExp(`\n    ${name}[, ]`));
  for (const name of ['TRITON_PROFILE', 'TRITON_URL', 'TRITON_ACCOUNT', 'TRITON_KEY_ID', 'SSH_AUTH_SOCK']) {
    t.match(stdout, `\n    ${name} `);
  }
  t.notMatch(stdout, /.{81}/, 'no line is wider than 80 columns');
});

test('the entry runs as a process of its own', async (t) => {
  const text = await new Promise((resolve) => {
    execFile(process.execPath, ['src/cli/triton-image/main.ts', '--version'], (_error, stdout) => resolve(stdout));
  });
  t.equal(text, `triton-image ${packageJson.version}\n`);
});
