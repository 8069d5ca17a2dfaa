/** The file below the data folder that the documents are in; SQLite's own stand beside it. */
export const DATABASE_FILE = 'imgapi.db';
