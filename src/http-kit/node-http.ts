/**
 * Values of node:http. An import statement would read all that it exports, and so have Node load its own fetch, a twentieth of
 * the time that a start takes, for a WebSocket that nobody asks for.
 */
export const { METHODS, STATUS_CODES, ServerResponse, validateHeaderValue } = process.getBuiltinModule('node:http');
