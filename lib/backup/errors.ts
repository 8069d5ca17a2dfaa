/** A backup or a restore that cannot be done as asked; nothing that was there before is changed. */
export type BackupProblem = 'NoDataFolder' | 'NotABackup' | 'NotEmpty' | 'Overlap' | 'Busy' | 'Damaged' | 'Changing';

export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupProblem;

  constructor(code: BackupProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Bytes of a backup that are not there, or are not what their name says. */
export class DamagedObjectError extends Error {
  override readonly name = 'DamagedObjectError';
}

/** A file that is there and cannot be read: a broken disk, a lack of rights, something that is no file. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
}
