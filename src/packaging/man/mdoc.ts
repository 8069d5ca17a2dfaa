/** Lines of mdoc, the language of manual pages. */

/** Sections of the manual: commands for everybody, and for who runs the system. */
export type Section = 1 | 8;

/** Running text, of which each sentence begins a line, as the language wants it. */
export function prose(text: string): string[] {
  return text
    .replaceAll('\\', '\\e')
    .split(/(?<=[.!?]) (?=[A-Z])/)
    .map((line) => line.replace(/^[.']/, '\\&$&'));
}

/** One argument of a macro, whatever is in it. */
export function argument(text: string): string {
  return `"${text.replaceAll('\\', '\\e').replaceAll('"', '\\(dq')}"`;
}

/** A list of terms, each with text; nothing if there is none. */
export function tagged(entries: readonly (readonly [tag: string, text: string])[]): string[] {
  if (entries.length === 0) return [];
  return ['.Bl -tag -width Ds', ...entries.flatMap(([tag, text]) => [`.It ${tag}`, ...prose(text)]), '.El'];
}

export interface Page {
  readonly name: string;
  readonly section: Section;
  /** What it is, in a few words. */
  readonly summary: string;
  /** Of the package. */
  readonly version: string;
  readonly date: Date;
  /** By title, in the order that manuals have. */
  readonly parts: Readonly<Record<string, readonly string[]>>;
}

export function page({ name, section, summary, version, date, parts }: Page): string {
  const month = date.toLocaleString('en-US', { month: 'long', timeZone: 'UTC' });
  return [
    `.Dd ${month} ${date.getUTCDate()}, ${date.getUTCFullYear()}`,
    `.Dt ${name.toUpperCase()} ${section}`,
    `.Os imgapi ${version}`,
    ...['.Sh NAME', `.Nm ${name}`, `.Nd ${summary}`],
    ...Object.entries(parts).flatMap(([title, lines]) => (lines.length === 0 ? [] : [`.Sh ${title}`, ...lines])),
    '',
  ].join('\n');
}
