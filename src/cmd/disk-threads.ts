/** So many files may be written, synced and read at once. Bun has a thread for each CPU: on a small machine two syncs would hold up everything else. */
const threads = '16';
/** Of the pool's size, which Bun and Node read when they use a thread first. */
const variable = 'UV_THREADPOOL_SIZE';

/** For a process that keeps data, before anything else: threads enough to wait for disks. */
export async function makeDiskThreads(): Promise<void> {
  if (process.env[variable] !== undefined) return;
  if (typeof Bun === 'undefined') {
    process.env[variable] = threads;
    return;
  }
  // What Bun's process.env is told stays in JavaScript; the pool looks at the environment itself.
  const { dlopen, FFIType } = await import('bun:ffi');
  const libc = dlopen('libc.so.6', { setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.i32], returns: FFIType.i32 } });
  libc.symbols.setenv(Buffer.from(`${variable}\0`), Buffer.from(`${threads}\0`), 1);
  libc.close();
}
