/** Of one message in either direction; containerd's default (defaults.DefaultMaxRecvMsgSize). */
export const maxMessageBytes = 16 * 1024 * 1024;
/** Of a stream of messages, what may wait to be sent before the next is asked for: enough that a burst of small ones goes out together. */
export const maxWaitingBytes = 64 * 1024;
