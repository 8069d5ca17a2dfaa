/** Why a backup or restore cannot be done as asked; existing data is left unchanged. */
export type BackupProblem =
  | 'NoDataFolder'
  | 'DocumentsElsewhere'
  | 'NotABackup'
  | 'NotEmpty'
  | 'Overlap'
  | 'Busy'
  | 'Damaged'
  | 'Changing';

export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupProblem;

  constructor(code: BackupProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Bytes of a backup that are missing, or that do not match their hash. */
export class DamagedObjectError extends Error {
  override readonly name = 'DamagedObjectError';
}

/** A file that exists but cannot be read: a broken disk, missing permissions, or not a file at all. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
}
