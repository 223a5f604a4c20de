import manifest from '../../package.json' with { type: 'json' };

/** Put in by the build (tools/build.ts). */
declare const STRAKE_COMMIT: string;

export const strakeVersion: string = manifest.version;
/** Of the sources, when they were built from a repository. */
export const strakeCommit: string = typeof STRAKE_COMMIT === 'undefined' ? 'unknown' : STRAKE_COMMIT;
