/** What the action of one step may touch: its files, its people, its keys, and nothing else of the session. */
import type { Action } from '#actions/action';
import type { JsonObject } from '#formats/canonical-json';
import type { Said } from '#script/entries';
import type { Instance } from '#script/plan';
import { enrolmentAt } from './enrolment.js';
import type { SessionFiles } from './files.js';
import { sessionIdentities } from './identities.js';
import { sessionFolders, sessionOnce } from './once.js';
import { sessionAsker } from './people.js';
import { actionOf, type Session, sessionMarks, whereOf } from './session.js';
import { KEY_ADDED, KEY_CHANGED } from './state.js';
import { boundToken } from './tokens.js';
import type { VaultWitness } from './vault.js';

/** What one step's action may touch. */
export function contextOf(
  session: Session,
  instance: Instance,
  files: SessionFiles,
  heard: (said: Said) => void,
): ReturnType<Session['context']['within']> {
  const { context, terminal, recorder, vault } = session;
  const where = whereOf(instance);
  const event = (name: string, data: JsonObject): void => {
    recorder.write('event', { ...where, event: name, data });
  };
  const witness: VaultWitness = {
    added: (reference, record) => {
      event(KEY_ADDED, { reference, record });
    },
    changed: (reference, record) => {
      event(KEY_CHANGED, { reference, record });
    },
    wiped: (key, held) => {
      recorder.write('wipe', { ...where, key, how: held ? 'wiped' : 'lost with the process' });
    },
  };
  const stepKey = `${where.act}/${where.step}`;
  const { disturbance } = session;
  const asking = sessionAsker({
    terminal,
    participants: recorder.state.participants,
    step: stepKey,
    holder: instance.for,
    slips: session.slips,
    handsOut: session.handsOut,
    heard,
  });
  const ask = disturbance?.asker(asking) ?? asking;
  const base = context.within({
    ...sessionMarks(session),
    files: disturbance?.files(files) ?? files,
    ask,
    boundToken: (token) => {
      const bound = (): ReturnType<typeof boundToken> => boundToken(session, token);
      return disturbance?.token(bound) ?? bound();
    },
    record: ({ type, data }) => {
      event(type, data);
    },
    progress: (message) => {
      if (terminal.interactive) terminal.say(message);
    },
  });
  const name = where.for === undefined ? where.step : `${where.step}/${where.for}`;
  return {
    ...base,
    inCeremony: true,
    enrol: enrolmentAt({ session, instance, ask, heard }),
    // Where a file answers for people nobody watches, and an animation would wait for keys that nobody presses.
    screen: terminal.interactive ? base.screen : undefined,
    gauge: terminal.gauge,
    once: sessionOnce(session, base.once),
    folders: sessionFolders(session, base.folders),
    identities: sessionIdentities(session, base.identities, {
      ask,
      step: stepKey,
      // Who drives the ceremony deals the shares and hands keys over, and signs what is said about both.
      signer: signsFor(actionOf(session, instance)) ? recorder.administrator : undefined,
    }),
    keys: vault.keySpace({
      name,
      elsewhere: base.keys,
      known: (reference) => recorder.state.keys.get(reference),
      witness,
    }),
  };
}

/** Whether the administrator's signature stands under what an action writes. */
function signsFor(action: Action | undefined): boolean {
  return action !== undefined && (action.secrecy === 'protects' || action.signs === true);
}
