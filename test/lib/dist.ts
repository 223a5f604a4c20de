import { join, resolve } from 'node:path';

/** What `npm run build` makes, and the tests run; STRAKE_DIST names another directory. */
export const strakeDist = resolve(process.env['STRAKE_DIST'] ?? join(import.meta.dirname, '../../dist'));
/** The OCI runtime as the peer root sees it. */
export const strakeRuncInPeerRoot = '/strake/strake-runc';
