export type { Dockershim, DockershimOptions } from './dockershim.ts';
export { startDockershim } from './dockershim.ts';
