export { topContainer } from './top.ts';
