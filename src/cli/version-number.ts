import manifest from '../../package.json' with { type: 'json' };

export const strakeVersion: string = manifest.version;
