/**
 * Claims on a token, each a data object of its own. PKCS#11 lets any number of objects have one label, so that no claim takes the
 * place of another. They are private, so that nobody reads them who does not log in, and cannot be modified, where the token
 * can do that: nothing rests on either.
 *
 * A library whose tokens are files keeps a copy of them in each process, and may not see what another process wrote in the same
 * moment. From the first claim on such a token is entered afresh before each look: of two who claim, whoever was second on the disk
 * then sees the first.
 */
import { concat, equal, utf8 } from '#formats/bytes';
import { OutputError, RefusedError } from '#formats/errors';
import { CLAIM_BYTES, type ClaimPlace } from '../claims.js';
import { type Attribute, CKA, CKO, type Handle } from './cryptoki.js';
import type { Session } from './session.js';
import type { Token } from './token.js';
import { formatTokenUri, type TokenUri } from './uri.js';

/** CKA_APPLICATION of claims. */
export const CLAIM_APPLICATION = 'conclave-once';

/** Digits of a name in a label; the whole name stands in the value. */
const LABEL_DIGITS = 16;

/** A token whose user is logged in. */
type EnteredToken = Disposable & { readonly token: Token };

/** An object that claims something. */
interface Standing {
  readonly handle: Handle;
  readonly claim: Uint8Array;
}

/**
 * Claims on a token.
 * @param entered - the token, its user logged in; disposing the place disposes it
 * @param uri - how the token is named again: by serial number, so that no other of the same label is taken for it
 * @param anew - enters the token in a module that was started afresh, for a library that needs it
 */
export function createTokenClaims(
  first: EnteredToken,
  uri: TokenUri,
  anew?: () => Promise<EnteredToken>,
): ClaimPlace {
  let entered: EnteredToken | undefined = first;
  let claimed = false;
  /** The token, as it stands now. */
  const looked = async (): Promise<Token> => {
    if (anew === undefined || (entered !== undefined && !claimed)) return (entered ?? first).token;
    entered?.[Symbol.dispose]();
    entered = undefined;
    entered = await anew();
    return entered.token;
  };
  return {
    location: formatTokenUri(uri),
    read: async (name) => claimsOn(await looked(), name),
    claim: async (name, bytes) => {
      (await looked()).session({ write: true }, (session) => {
        if (!standing(session, name).some(({ claim }) => equal(claim, bytes))) {
          create(session, name, bytes);
        }
      });
      claimed = true;
      const token = await looked();
      const all = claimsOn(token, name);
      if (all.some((each) => equal(each, bytes))) return all;
      throw new OutputError({
        code: 'E_TOKEN_NOT_KEPT',
        message: `${token.name} did not keep what was written to it`,
        hint: 'use another token, or a folder on a second medium',
      });
    },
    remove: async (name) => {
      (await looked()).session({ write: true }, (session) => {
        for (const { handle } of standing(session, name)) session.destroy(handle);
      });
    },
    [Symbol.dispose]: () => {
      entered?.[Symbol.dispose]();
      entered = undefined;
    },
  };
}

function claimsOn(token: Token, name: string): readonly Uint8Array[] {
  return token.session({ write: false }, (session) =>
    standing(session, name).map(({ claim }) => claim),
  );
}

function standing(session: Session, name: string): readonly Standing[] {
  const handles = session.find(identifying(name));
  const head = utf8(`${name}\0`);
  return handles.flatMap((handle) => {
    const value = new Uint8Array(session.attribute(handle, CKA.VALUE) ?? []);
    // Names that begin alike share a label.
    const ours =
      value.length === head.length + CLAIM_BYTES && equal(value.subarray(0, head.length), head);
    return ours ? [{ handle, claim: value.slice(head.length) }] : [];
  });
}

function create(session: Session, name: string, bytes: Uint8Array): void {
  const object = [
    ...identifying(name),
    { type: CKA.VALUE, value: Buffer.from(concat(utf8(`${name}\0`), bytes)) },
  ];
  try {
    session.create(
      [...object, { type: CKA.PRIVATE, value: true }, { type: CKA.MODIFIABLE, value: false }],
      'writing down a claim',
    );
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    session.create(object, 'writing down a claim');
  }
}

function identifying(name: string): readonly Attribute[] {
  const label = name.slice(0, name.indexOf('-') + 1 + LABEL_DIGITS);
  return [
    { type: CKA.CLASS, value: CKO.DATA },
    { type: CKA.TOKEN, value: true },
    { type: CKA.APPLICATION, value: Buffer.from(CLAIM_APPLICATION) },
    { type: CKA.LABEL, value: Buffer.from(label) },
  ];
}
