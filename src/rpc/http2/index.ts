export { Http2ClientConnection } from './client-connection.ts';
export { Http2Code, isUnprocessed, lostError } from './errors.ts';
export type { Header } from './headers.ts';
export { headerValue } from './headers.ts';
export type { StreamHandler } from './server-connection.ts';
export { Http2ServerConnection } from './server-connection.ts';
export type { Http2Stream } from './stream.ts';
