export type { ContainerArchive } from './archive-path.ts';
export { archivePath, statContainerPath } from './archive-path.ts';
export type { ExtractRequest } from './extract.ts';
export { extractToContainer } from './extract.ts';
