export type { EngineRuntime, Runtimes } from './containers/index.ts';
export { createContainersPart } from './containers-part.ts';
export type { ContainersPart, Engine, EngineOptions, EngineParts } from './engine.ts';
export { assembleEngine, serveEngine } from './engine.ts';
export type { NetworkMember } from './networks/index.ts';
export type { ApiServer } from './server/index.ts';
