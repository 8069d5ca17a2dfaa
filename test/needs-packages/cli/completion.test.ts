/** Completion at a tab, in the shells themselves. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Test, test } from 'tap';
import { SHELLS } from '#src/cli/framework/completion/scripts.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { marks } from '../../runner/own-run.ts';
import { complaints, missing } from '../installed.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;

/** What a shell offers at the end of a line: runs in a folder that has `data` and `dumps` in it. */
type Ask = (line: string) => Promise<string>;

async function inShell(
  t: Test,
  shell: string,
  script: (line: string) => string,
  args: readonly string[],
): Promise<Ask> {
  const folder = await temporaryFolder(t);
  for (const name of ['data', 'dumps']) mkdirSync(join(folder, name));
  const PATH = `${resolve('src/cli/bin')}:${dirname(process.execPath)}:/usr/bin:/bin`;
  const env = { ...marks(), PATH, HOME: folder, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
  return async (line) => {
    const { stdout } = await run(shell, [...args, script(line)], { cwd: folder, env, timeout: TIMEOUT_MS });
    return stdout;
  };
}

test('bash completes commands, options and files', { skip: missing('bash') }, async (t) => {
  const script = (line: string) => `
    eval "$(imgapiadm completion bash)" "$(triton-image completion bash)"
    COMP_WORDS=(${line}) COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    _complete_\${COMP_WORDS[0]//-/_} 2>/dev/null
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ask = await inShell(t, 'bash', script, ['--norc', '-c']);
  t.equal(await ask('imgapiadm copi'), 'copies\n');
  t.match(await ask("imgapiadm copies ''"), /^cancel$/m);
  t.equal(await ask('imgapiadm import-data --fil'), '--files\n');
  t.equal(await ask('imgapiadm import-data da'), 'data\n');
  t.equal(await ask('imgapiadm import-data --files = du'), 'dumps\n');
  t.equal(await ask("triton-image completion ''"), 'bash\nzsh\nfish\n');
});

test('zsh completes commands, options and files', { skip: missing('zsh') }, async (t) => {
  // A shell within the shell has a terminal to type tabs in; what it shows is what there is to see.
  const script = (line: string) => `
    zmodload zsh/zpty
    zpty inner zsh -f -i
    zpty -w inner 'PS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; eval "$(imgapiadm completion zsh)"; print re""ady'
    zpty -r -m inner seen '*ready*'
    zpty -w -n inner $'${line}\\t'
    zpty -r -m inner seen '*${line}*REST*'
    print -r -- $seen`;
  for (const [line, whole] of [
    ['imgapiadm copi', 'imgapiadm copies'],
    ['imgapiadm copies can', 'imgapiadm copies cancel'],
    ['imgapiadm import-data --fil', 'imgapiadm import-data --files'],
    ['imgapiadm import-data da', 'imgapiadm import-data data'],
    ['imgapiadm completion f', 'imgapiadm completion fish'],
  ] as const) {
    const ask = await inShell(t, 'zsh', (typed) => script(typed).replace('REST', whole.slice(line.length)), [
      '-f',
      '-c',
    ]);
    // The bell rings where there was something to add.
    t.match((await ask(line)).replaceAll('\u0007', ''), whole);
  }
});

test('fish completes commands, options and files', { skip: missing('fish') }, async (t) => {
  const script = (line: string) => `imgapiadm completion fish | source; complete -C '${line}'`;
  const ask = await inShell(t, 'fish', script, ['--no-config', '-c']);
  t.equal(await ask('imgapiadm copi'), 'copies\tlist the copies from other datacenters, running and ended\n');
  t.match(await ask('imgapiadm copies can'), /^cancel\t/);
  t.match(await ask('imgapiadm import-data --fil'), /^--files\t/);
  t.match(await ask('imgapiadm import-data da'), /^data\//);
  t.match(await ask('imgapiadm completion '), /^bash\t.*\nfish\t.*\nzsh\t/);
});

test('the script for bash gives shellcheck nothing to say', { skip: missing('shellcheck') }, async (t) => {
  const file = join(await temporaryFolder(t), 'completion');
  writeFileSync(file, SHELLS.bash);
  t.equal(complaints('shellcheck', ['--shell=bash', file]), '');
});
