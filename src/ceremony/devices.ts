/**
 * A token that is not there, or whose PIN was wrong, has refused nothing and decided nothing: the step waits for it while the
 * key is still in memory, or the ceremony is postponed. What happened is in the record either way.
 */
import { ConclaveError, TryAgainError } from '#formats/errors';
import { type Instance, instanceKey } from '#script/plan';
import { type Session, whereOf } from './session.js';

/** Trouble that ends when somebody connects the right token or finds the right PIN. */
const DEVICE_TROUBLE: ReadonlySet<string> = new Set([
  'E_PKCS11_ABSENT',
  'E_PKCS11_MODULE',
  'E_TOKEN_ABSENT',
  'E_TOKEN_AMBIGUOUS',
  'E_TOKEN_DEVICE_ERROR',
  'E_TOKEN_DEVICE_MEMORY',
  'E_TOKEN_DEVICE_REMOVED',
  'E_TOKEN_PIN_EXPIRED',
  'E_TOKEN_PIN_INCORRECT',
  'E_TOKEN_PIN_LAST_TRY',
  'E_TOKEN_PIN_LEN_RANGE',
  'E_TOKEN_PIN_LOCKED',
  'E_TOKEN_PIN_MISSING',
  'E_TOKEN_SESSION_CLOSED',
  'E_TOKEN_SESSION_COUNT',
  'E_TOKEN_SESSION_EXISTS',
  'E_TOKEN_SESSION_HANDLE_INVALID',
  'E_TOKEN_SLOT_ID_INVALID',
  'E_TOKEN_TOKEN_NOT_PRESENT',
  'E_TOKEN_TOKEN_NOT_RECOGNIZED',
  'E_TOKEN_TOKEN_WRITE_PROTECTED',
  'E_TOKEN_USER_PIN_NOT_INITIALIZED',
]);

/**
 * Does a step's work, as often as somebody at the terminal brings the token back. Where nobody can be asked, a definition that
 * says `retry` has it tried again, and one that says `on-failure: deviate` goes on without it.
 * @throws TryAgainError `E_DEVICE_POSTPONED` when it waits for a token; anything else as the work throws it
 */
export async function withDevices<T>(
  session: Session,
  instance: Instance,
  work: () => Promise<T>,
): Promise<T> {
  const { recorder, terminal } = session;
  const { step } = instance;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConclaveError) || !DEVICE_TROUBLE.has(error.code)) throw error;
      const failures = recorder.state.instances.get(instanceKey(instance))?.failures ?? 0;
      if (!terminal.interactive && failures < step.retry) throw error;
      recorder.write('event', {
        ...whereOf(instance),
        event: 'device.unavailable',
        data: { code: error.code, message: error.message.slice(0, 4096) },
      });
      if (terminal.interactive) {
        terminal.say(`${error.message}.`);
        if (error.hint !== undefined) terminal.say(error.hint);
        const at = { key: instanceKey(instance) };
        if ((await terminal.confirm(`${instance.by}: try it again now?`, at)).value) continue;
      }
      if (step.onFailure === 'deviate') throw error;
      throw new TryAgainError({
        code: 'E_DEVICE_POSTPONED',
        message: `the ceremony is postponed at ${instanceKey(instance)}: ${error.message}`,
        hint: 'put it right, then go on with --resume; nothing is lost',
        details: { cause: error.code },
        cause: error,
      });
    }
  }
}
