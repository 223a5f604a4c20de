/** How `strake daemon` ends when another one has its data root (EX_TEMPFAIL of sysexits.h): not a failure to whoever only wants an engine. */
export const otherDaemonStatus = 75;
