export type { Options as RuntimeOptions } from './v1/options_pb.ts';
export { OptionsSchema as RuntimeOptionsSchema } from './v1/options_pb.ts';
