export type { CallOptions, QueryValue } from './client.ts';
export { EngineClient } from './client.ts';
export type { StreamFrame } from './demultiplex.ts';
export { demultiplex } from './demultiplex.ts';
export type { Endpoint } from './endpoint.ts';
export { defaultSocket, formatEndpoint, parseEndpoint } from './endpoint.ts';
export type { HijackedStream } from './hijack.ts';
export type { EngineResponse } from './request.ts';
