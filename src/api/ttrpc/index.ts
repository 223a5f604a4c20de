/** What ttrpc's own frames carry. */
export type { Request, Response } from './request_pb.ts';
export { RequestSchema, ResponseSchema } from './request_pb.ts';
