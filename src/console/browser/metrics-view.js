/** Small charts of what the server measures, since this view was opened. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { fetched, parsed, refusal } from './api.js';
import { html } from './html.js';
import { Words } from './loading.js';
import { samplesOf, sumOf } from './prometheus.js';

const EVERY_MS = 5000;
const FIRST_MS = 1000;
const MOST_POINTS = 720;
const HEIGHT = 180;
/** Of the time axis. */
const LEAST_SECONDS = 60;

/**
 * @typedef {{ at: number, requests: number, errors: number, seconds: number, memory: number, lag: number }} Reading
 * @typedef {{ title: string, unit: string, value: (now: Reading, before: Reading) => number }} Chart
 */

/** @type {readonly Chart[]} */
const CHARTS = [
  {
    title: 'Requests',
    unit: 'per second',
    value: (now, before) => (now.requests - before.requests) / (now.at - before.at),
  },
  {
    title: 'Errors of the server',
    unit: 'per second',
    value: (now, before) => (now.errors - before.errors) / (now.at - before.at),
  },
  {
    title: 'Time of a request',
    unit: 'milliseconds',
    value: (now, before) => (1000 * (now.seconds - before.seconds)) / Math.max(1, now.requests - before.requests),
  },
  { title: 'Memory', unit: 'MiB', value: (now) => now.memory / 1_048_576 },
  { title: 'Delay of the event loop', unit: 'milliseconds', value: (now) => now.lag * 1000 },
];

/** @param {AbortSignal} signal @returns {Promise<Reading>} */
async function read(signal) {
  const { answer, text } = await fetched('metrics', { signal });
  const samples = samplesOf(text);
  if (!answer.ok || samples.length === 0) throw refusal(answer, parsed(text));
  return {
    at: Date.now() / 1000,
    requests: sumOf(samples, 'http_request_duration_seconds_count'),
    errors: sumOf(samples, 'http_requests_completed', ({ status }) => status !== undefined && status >= '500'),
    seconds: sumOf(samples, 'http_request_duration_seconds_sum'),
    memory: sumOf(samples, 'process_resident_memory_bytes'),
    lag: sumOf(samples, 'nodejs_eventloop_lag_mean_seconds'),
  };
}

export function MetricsView() {
  const [readings, setReadings] = useState(/** @type {readonly Reading[]} */ ([]));
  const [problem, setProblem] = useState(/** @type {Error | undefined} */ (undefined));
  useEffect(() => {
    const gone = new AbortController();
    const take = () =>
      Promise.all([read(gone.signal), loadLibrary()]).then(
        ([reading]) => {
          setProblem(undefined);
          setReadings((before) => [...before.slice(1 - MOST_POINTS), reading]);
        },
        (error) => {
          if (!gone.signal.aborted) setProblem(error);
        },
      );
    void take();
    // Charts begin with the second reading.
    const second = setTimeout(take, FIRST_MS);
    const timer = setInterval(take, EVERY_MS);
    return () => {
      gone.abort();
      clearTimeout(second);
      clearInterval(timer);
    };
  }, []);
  return html`
    <h1>Metrics</h1>
    ${problem && html`<p class="problem" role="alert"><${Words} of=${problem} /></p>`}
    ${!problem && readings.length < 2 && html`<p class="quiet" role="status">Measuring …</p>`}
    <div class="charts">
      ${readings.length >= 2 && CHARTS.map((chart) => html`<${ChartView} key=${chart.title} chart=${chart} readings=${readings} />`)}
    </div>`;
}

/** The library is loaded by who looks at charts. */
/** @typedef {{ setData(data: [number[], number[]]): void, setSize(size: { width: number, height: number }): void, destroy(): void }} Plot */

let library =
  /** @type {Promise<{ default: new (options: object, data: [number[], number[]], place: HTMLElement) => Plot }> | undefined} */ (
    undefined
  );

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = document.createElement('link');
    const fail = (/** @type {unknown} */ cause) => {
      style.remove();
      // It may be there later.
      library = undefined;
      reject(new Error('The server cannot be reached.', { cause }));
    };
    style.rel = 'stylesheet';
    style.href = 'modules/uplot.css';
    style.onload = () => import('uplot').then((module) => resolve(/** @type {any} */ (module)), fail);
    style.onerror = fail;
    document.head.append(style);
  });
  return library;
}

/** In UTC, as all times of the console. @param {number} seconds */
function clockTime(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {{ chart: Chart, readings: readonly Reading[] }} props */
function ChartView({ chart: { title, unit, value }, readings }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {Plot | undefined} */ (undefined));
  const times = readings.slice(1).map(({ at }) => at);
  const values = readings.slice(1).map((now, index) => Math.max(0, value(now, readings[index] ?? now)));
  /** @type {[number[], number[]]} */
  const data = [times, values];
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    let isGone = false;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = async () => {
      const { default: UPlot } = await loadLibrary();
      if (isGone || !place.current) return;
      plot.current?.destroy();
      const axis = {
        stroke: () => colour('--quiet'),
        grid: { stroke: () => colour('--line') },
        ticks: { stroke: () => colour('--line') },
      };
      plot.current = new UPlot(
        {
          width: place.current.clientWidth,
          height: HEIGHT,
          legend: { show: false },
          cursor: { show: false },
          scales: {
            // Of one point the library would make years.
            x: {
              range: (/** @type {unknown} */ _plot, /** @type {number} */ first) => [
                first,
                Math.max(latest.current[0].at(-1) ?? first, first + LEAST_SECONDS),
              ],
            },
            y: {
              range: (/** @type {unknown} */ _plot, /** @type {number} */ _low, /** @type {number} */ high) => [
                0,
                high > 0 ? high * 1.1 : 1,
              ],
            },
          },
          series: [{}, { stroke: () => colour('--accent'), width: 2 }],
          axes: [
            {
              ...axis,
              space: 80,
              values: (/** @type {unknown} */ _plot, /** @type {number[]} */ times) => times.map(clockTime),
            },
            { ...axis, size: 60 },
          ],
        },
        latest.current,
        place.current,
      );
    };
    const onResize = () => place.current && plot.current?.setSize({ width: place.current.clientWidth, height: HEIGHT });
    void draw();
    addEventListener('resize', onResize);
    dark.addEventListener('change', draw);
    return () => {
      isGone = true;
      removeEventListener('resize', onResize);
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [readings]);
  const last = values.at(-1) ?? 0;
  return html`
    <figure>
      <figcaption><b>${title}</b>, ${unit}: ${last.toPrecision(3)}</figcaption>
      <div ref=${place} aria-hidden="true"></div>
    </figure>`;
}
