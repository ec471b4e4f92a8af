/** The readers of the tests, with ZXing's wasm file as the package brings it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type QrReader, zxingReader } from '#carriage/transport/qr-reader';

const path = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm');

/** ZXing's wasm file. */
export function zxingWasm(): Uint8Array {
  return readFileSync(path);
}

/** ZXing's reader. */
export async function zxing(): Promise<QrReader> {
  return await zxingReader(zxingWasm());
}
