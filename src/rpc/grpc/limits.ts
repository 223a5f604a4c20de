/** Of one message in either direction; containerd's default (defaults.DefaultMaxRecvMsgSize). */
export const maxMessageBytes = 16 * 1024 * 1024;
