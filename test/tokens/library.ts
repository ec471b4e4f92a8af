/** Where SoftHSM's library lies; apart, for tests of machines that have no adapter for it. */
import { existsSync } from 'node:fs';

/** Where distributions put the library. */
const PLACES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

/** The library, or `undefined`. */
export const library = PLACES.find((path) => existsSync(path));
