/** Reads the text form of Prometheus, as far as charts need it. */

/** @typedef {{ name: string, labels: Record<string, string>, value: number }} Sample */

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** @param {string} text @returns {Sample[]} */
export function samplesOf(text) {
  return text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
    if (name === '') return [];
    return [
      {
        name,
        labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key, text]) => [key, text])),
        value: Number(value),
      },
    ];
  });
}

/** The sum of all series of a name. @param {readonly Sample[]} samples @param {string} name @param {(labels: Record<string, string>) => boolean} [isMeant] */
export function sumOf(samples, name, isMeant = () => true) {
  let sum = 0;
  for (const sample of samples) if (sample.name === name && isMeant(sample.labels)) sum += sample.value;
  return sum;
}
