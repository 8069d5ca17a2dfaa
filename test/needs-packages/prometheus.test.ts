/** The alerts, by Prometheus's own checker. */
import { test } from 'tap';
import { complaints, missing } from './installed.ts';

const skip = missing('promtool');

test('Prometheus takes its configuration and the alerts', { skip }, async (t) => {
  t.equal(complaints('promtool', ['check', 'rules', '--lint-fatal', 'etc/prometheus/imgapi.rules.yml']), '');
  t.equal(complaints('promtool', ['check', 'config', 'etc/prometheus/prometheus.yml']), '');
});
