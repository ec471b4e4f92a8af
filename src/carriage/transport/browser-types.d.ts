/**
 * What the declarations of `qr` and `zxing-wasm` take for granted because they were written for browsers too. Only what we
 * hand over has members here; nothing else of a browser exists in this house.
 */

/** Pixels as a canvas gives them: four bytes each. */
interface ImageData {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly colorSpace: 'srgb' | 'display-p3';
}

/** A compiled C++ program; of what one can set we use this. */
interface EmscriptenModule {
  wasmBinary: ArrayBuffer;
}

type EmscriptenModuleFactory<T extends EmscriptenModule = EmscriptenModule> = (
  overrides?: Partial<T>,
) => Promise<T>;

/** Named by what we do not call. */
type DOMRectReadOnly = never;
type ImageBitmapSource = never;
