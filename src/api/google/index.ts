export type { ErrorInfo } from './rpc/error_details_pb.ts';
export { ErrorInfoSchema } from './rpc/error_details_pb.ts';
export type { Status } from './rpc/status_pb.ts';
export { StatusSchema } from './rpc/status_pb.ts';
