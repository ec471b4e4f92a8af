/** Where a key rests, in words: what a token only stores must not pass for what it holds. */

/** What to say of a key that a token keeps without knowing what it is. */
export const ONLY_STORED =
  'the token stores this key, sealed under its passphrase; it does not protect it, and does not use it';

/** Whether a location is that of a sealed key on a token, and not of a key in it. */
export function onlyStored(location: string): boolean {
  return /^pkcs11:[^?]*;type=data(?:[;?]|$)/.test(location);
}

/** Where a key is, for people: the store is where everybody expects it, the rest is named. */
export function placeText(location: string): string {
  if (location.startsWith('pkcs11:')) {
    return `at ${location}${onlyStored(location) ? `\nNOTE       ${ONLY_STORED}` : ''}`;
  }
  return location.startsWith('keychain:') ? `at ${location}` : 'in the store';
}
