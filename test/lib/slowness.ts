/** How many times slower than a plain one the machine is: an emulated one sets STRAKE_TEST_SLOWNESS, and every wait is that much more patient. */
export const slowness = Number(process.env['STRAKE_TEST_SLOWNESS'] ?? 1);
