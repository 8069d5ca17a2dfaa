/** What operators are told of the tasks of a server that runs. */
import { test } from 'tap';
import { Value } from 'typebox/value';
import { TaskStatus } from '#lib/api/schemas/maintenance.ts';
import { serviceTasks } from '#src/maintenance/tasks/table.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { runImgapiadm } from '../../cli/capture.ts';

test('every task of the table runs soon after the start, and operators see how that went', async (t) => {
  const { imgapi, url, dataDir, client } = await startInProcess(t);
  const list = () => client().listTasks();
  const all = await waitFor('every task to have run', async () => {
    const found = await list();
    return found.every(({ last_run: last }) => last !== undefined) && found;
  });
  const { service } = imgapi;
  t.strictSame(
    all.map(({ name, what, period_seconds: period }) => [name, what, period]),
    serviceTasks(service).map(({ name, what, periodMs }) => [name, what, periodMs / 1000]),
  );
  for (const task of all) {
    t.ok(Value.Check(TaskStatus, task), task.name);
    t.match(task, { failures: 0, last_run: { result: 'ok', worker: service.worker } });
  }
  const { code, stdout } = await runImgapiadm(['tasks', '-j'], { env: { IMGAPI_URL: url, IMGAPI_DATA_DIR: dataDir } });
  t.equal(code, 0);
  t.strictSame(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as TaskStatus).name),
    all.map(({ name }) => name),
  );
});

test('the list is for operators, in version 3', async (t) => {
  const { url } = await startInProcess(t);
  const ask = (query: string, version: string) =>
    globalThis.fetch(`${url}/tasks${query}`, { headers: { 'Accept-Version': version } });
  t.match(await (await ask('', '~2')).json(), { code: 'InvalidParameter', message: /Accept-Version: ~3/ });
  const refused = await ask(`?account=${ALICE}`, '~3');
  t.equal(refused.status, 403);
  t.match(await refused.json(), { code: 'OperatorOnly' });
});
