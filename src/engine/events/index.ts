export type { EngineEvents, EventWindow, NewEvent } from './engine-events.ts';
export { createEngineEvents } from './engine-events.ts';
