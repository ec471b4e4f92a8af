/** Hash functions that block chains use and `node:crypto` lacks or does not promise; noble's, loaded when asked for. */

/** Loaded hash functions, each over one byte string. */
export interface ChainHashes {
  /** Keccak-256 with the padding from before FIPS 202; 32 bytes. */
  keccak256(bytes: Uint8Array): Uint8Array;
  /** 20 bytes. */
  ripemd160(bytes: Uint8Array): Uint8Array;
  /** BLAKE2b of `length` bytes. @see RFC 7693 §2 */
  blake2b(length: number, bytes: Uint8Array): Uint8Array;
}

/** Loads them. */
export async function loadChainHashes(): Promise<ChainHashes> {
  const [{ keccak_256 }, { ripemd160 }, { blake2b }] = await Promise.all([
    import('@noble/hashes/sha3.js'),
    import('@noble/hashes/legacy.js'),
    import('@noble/hashes/blake2.js'),
  ]);
  return {
    keccak256: (bytes) => keccak_256(bytes),
    ripemd160: (bytes) => ripemd160(bytes),
    blake2b: (length, bytes) => blake2b(bytes, { dkLen: length }),
  };
}
