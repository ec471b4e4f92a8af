/** What a block chain's file says of its addresses. Pure: from a raw public key to text. */

/** One way to make an address. */
export interface AddressType {
  /** As people of that chain call it: `p2wpkh`, `tz1`. */
  readonly type: string;
  /** Algorithm of the key. */
  readonly algorithm: string;
  /** Standard and section. */
  readonly spec: string;
  /**
   * The address.
   * @param publicKey - raw public key; for the curves of SEC 1 compressed or not
   * @throws InputError `E_KEY_INVALID` for bytes that are no public key
   */
  address(publicKey: Uint8Array): Promise<string>;
}

/** A block chain. */
export interface Chain {
  readonly name: string;
  /** The first one that fits a key's algorithm is the default. */
  readonly types: readonly AddressType[];
}
