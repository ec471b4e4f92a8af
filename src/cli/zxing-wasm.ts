/** ZXing's wasm file, from the package that lies beside the program: never from a network. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The bytes of the reader; `undefined` when the package or its file is absent. */
export function zxingWasm(): Uint8Array | undefined {
  try {
    const url = import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm');
    return readFileSync(fileURLToPath(url));
  } catch {
    // Without it the reader in plain JavaScript has to do.
    return undefined;
  }
}
