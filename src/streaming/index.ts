export type {
  AttachRequest,
  ExecRequest,
  PortForwardRequest,
  PortStream,
  ProcessStreams,
  StreamChoice,
  StreamingBackend,
  TerminalSize,
} from './backend.ts';
export type { ByteSink } from './channel.ts';
export type { PortConnection } from './port-forward/carry.ts';
export { carryPort } from './port-forward/carry.ts';
export type { StreamingServer, StreamingServerOptions, StreamingTls } from './server/server.ts';
export { startStreamingServer } from './server/server.ts';
