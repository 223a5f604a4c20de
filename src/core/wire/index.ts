export { decodeEvent, encodeEvent } from './event-message.ts';
export { mapValues, toTyped, toWireDescriptor } from './messages.ts';
export { applyTarget, fromWireMounts, idMapOf, toWireMounts } from './mounts.ts';
