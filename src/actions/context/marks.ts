/** The marks of keys that must not pass for real ones: as text before a PEM's BEGIN, and in file names. */
import type { Environment } from '#custody/authority/record';

const ENVIRONMENTS: readonly Environment[] = ['production', 'rehearsal', 'dev'];

/** Text before BEGIN (RFC 7468 §2), e.g. `DEV KEY - NOT FOR PRODUCTION`; empty for production. */
export function markText(environment: Environment): string {
  return environment === 'production'
    ? ''
    : `${environment.toUpperCase()} KEY - NOT FOR PRODUCTION`;
}

/** The environment that a text before BEGIN names; production when it names none. Not authenticated. */
export function environmentOfMark(explanation: string): Environment {
  const lines = explanation.split('\n');
  return ENVIRONMENTS.find((each) => lines.includes(markText(each) || '\n')) ?? 'production';
}

/** Name of a new key's files, without extension: `dev-` and 8 digits of the id when it is marked, 16 digits otherwise. */
export function fileStem(key: { readonly id: string; readonly environment: Environment }): string {
  const { id, environment } = key;
  return environment === 'production' ? id.slice(0, 16) : `${environment}-${id.slice(0, 8)}`;
}
