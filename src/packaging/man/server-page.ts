/** The manual page of a server. */
import { page, prose, tagged } from './mdoc.ts';

export interface ServerManual {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  readonly date: Date;
  /** Where the Debian package has it. */
  readonly configFile: string;
  readonly needsConfig: boolean;
  /** Below the package. */
  readonly documents: readonly string[];
  readonly seeAlso: readonly string[];
}

export function serverPage(manual: ServerManual): string {
  const { name, summary, version, date, configFile, needsConfig, documents, seeAlso } = manual;
  const config = needsConfig ? '.Fl f Ar config' : '.Op Fl f Ar config';
  return page({
    ...{ name, section: 8, summary, version, date },
    parts: {
      SYNOPSIS: ['.Nm', config, '.Op Fl -workers Ar n', '.Nm', '.Fl -help | Fl -version'],
      DESCRIPTION: [
        ...prose(
          'Writes a line to the standard output when it listens, and its log, lines of JSON, to the standard error.',
        ),
        ...tagged([
          [
            'Fl f Ar config',
            `The configuration, a file of JSON.${needsConfig ? '' : ' Default: a server for trying out, at http://127.0.0.1:8080, with its data in build/data below the working directory.'}`,
          ],
          ['Fl -workers Ar n', 'So many processes, and one that looks after them, whatever the configuration says.'],
          ['Fl h , Fl -help', 'Show the use.'],
          ['Fl -version', 'Show the version.'],
        ]),
        '.Pp',
        ...prose('Signals:'),
        ...tagged([
          [
            'Dv SIGHUP',
            'Take a changed configuration. With workers they are replaced one by one, and no request fails.',
          ],
          ['Dv SIGTERM , Dv SIGINT', 'Let the requests under way finish, and end.'],
        ]),
      ],
      FILES: tagged([[`Pa ${configFile}`, 'The configuration of the service.']]),
      'EXIT STATUS': tagged([
        ['Er 0', 'It was asked to end, and did.'],
        ['Er 1', 'It could not start, could not end in time, or met an error that nobody expected.'],
        ['Er 2', 'The command line is wrong.'],
      ]),
      'SEE ALSO': [
        ...seeAlso.map((other) => `.Xr ${other} ,`),
        ...documents.map((file, index) => `.Pa docs/${file}${index < documents.length - 1 ? ' ,' : ''}`),
      ],
    },
  });
}
