export { checkContainerName, generateName } from './names.ts';
