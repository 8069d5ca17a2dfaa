/** The views of a record: absent Accept-Version is 1, `*` is 2, and 3 has to be asked for. */
export type ApiVersion = 1 | 2 | 3;
