/** A key that a group holds in shares of a scalar, as a trace sees it: its group record, read strictly. */
import type { Descriptor } from '#crypto/descriptor';
import { decodeGroup, type Group } from '#crypto/frost/group';
import { resolve } from '#crypto/registry';
import { RefusedError } from '#formats/errors';
import type { ScalarContext } from '#protocols/inhead/scalar-statement';
import type { TraceRequest } from '#protocols/inhead/request';

/** A threshold key. */
export interface ScalarKey {
  readonly kind: 'scalar';
  readonly name: string;
  /** The record as it stands: G. */
  readonly bytes: Uint8Array;
  readonly group: Group;
  readonly descriptor: Descriptor;
  readonly publicKey: Uint8Array;
}

/**
 * The key of a group record.
 * @throws what the reader of group records throws
 */
export async function readScalarKey(bytes: Uint8Array, name: string): Promise<ScalarKey> {
  const group = await decodeGroup(bytes, name);
  const { suite, key } = group;
  if (suite.scheme !== 'frost') {
    throw new RefusedError({
      code: 'E_TRACE_SUITE',
      message: `${name}: there is no trace of signatures of ${suite.name}`,
      hint: 'each share of such a signature is verified under the public share of its signer as it stands',
    });
  }
  const descriptor = await resolve(suite.algorithm);
  return { kind: 'scalar', name, bytes, group, descriptor, publicKey: suite.publicKey(key) };
}

/** What a signature over this key for a request is bound to. */
export function scalarContext(
  { group, bytes }: ScalarKey,
  request: TraceRequest,
  requestBytes: Uint8Array,
  quorum: readonly number[],
): ScalarContext {
  const { message, level } = request;
  return { group, groupBytes: bytes, request: requestBytes, message, level, quorum };
}
