export type { Measured, MeasuredContainer, MeasuredPod } from './measured.ts';
export type { MeterOptions } from './meter.ts';
export { statsCalls } from './stats-calls.ts';
