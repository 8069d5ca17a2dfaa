/** What is wrong with an accounts file; the message names the entry and the key. */
export class AccountsDocumentError extends Error {
  override readonly name = 'AccountsDocumentError';
}
