/** What the demo says. Plain sentences; commands as one would type them. */

let step = 0;

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function heading(text: string): void {
  step++;
  say();
  say(`${step}. ${text}`);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
