export { globalHelp, verbHelp } from './render.ts';
