/** Tokens by the names that the definition gives them: which ones they are in this place stands in the site file. */
import type { BoundToken } from '#actions/context/context';
import { TryAgainError } from '#formats/errors';
import { fromSite, type Session } from './session.js';

/** A PIN is one short line. */
const MAX_PIN_BYTES = 256;

/**
 * The token that a name stands for.
 * @throws TryAgainError `E_TOKEN_UNBOUND`, `E_TOKEN_REHEARSAL`: the site file is put right, and the session goes on
 */
export function boundToken(
  { site, siteFolder, environment, context }: Session,
  name: string,
): BoundToken {
  const bound = Object.hasOwn(site.tokens, name) ? site.tokens[name] : undefined;
  if (bound === undefined) {
    throw new TryAgainError({
      code: 'E_TOKEN_UNBOUND',
      message: `the site file does not say which token ${JSON.stringify(name)} is`,
      hint: `name its module and its label under "tokens: ${name}:", and go on with --resume`,
    });
  }
  const isRehearsal = environment === 'rehearsal';
  if (bound.rehearsal !== isRehearsal) {
    throw new TryAgainError({
      code: 'E_TOKEN_REHEARSAL',
      message: isRehearsal
        ? `the token ${JSON.stringify(name)} of the site file is not marked for rehearsals`
        : `the token ${JSON.stringify(name)} of the site file is for rehearsals alone`,
      hint: isRehearsal
        ? 'rehearse with tokens of their own (conclave hsm sandbox), marked "rehearsal: true" in a site file given by --site'
        : 'name the real one in the site file, and go on with --resume',
    });
  }
  const at = (path: string): string => fromSite(siteFolder, path);
  const { pinFile, serial, token = '' } = bound;
  return {
    token: serial === undefined ? token : `serial=${serial}`,
    module: /[/\\]/.test(bound.module) ? at(bound.module) : bound.module,
    ...(pinFile === undefined ? {} : { readPin: () => readPin(at(pinFile), context) }),
  };
}

function readPin(path: string, { host: { files } }: Session['context']): Uint8Array {
  if (files.exists(path)) return files.read(path, MAX_PIN_BYTES);
  throw new TryAgainError({
    code: 'E_TOKEN_PIN_FILE',
    message: `there is no PIN file ${path}`,
    hint: 'bring it, or leave "pin-file" out of the site file to be asked; then go on with --resume',
  });
}
