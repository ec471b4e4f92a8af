/**
 * Faults that a rehearsal asks for, `--inject FAULT@STEP`, acting where they would come from: the disk, the clock, the people's
 * passphrases, the token, the paper. The engine knows nothing of them but the moment at which one begins, which it journals.
 */
import type { Asker, BoundToken, Conversation, FileSpace } from '#actions/context/context';
import { utf8 } from '#formats/bytes';
import { nearest } from '#formats/nearest';
import {
  OutputError,
  RefusedError,
  TryAgainError,
  UnavailableError,
  UsageError,
} from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { HostFiles } from '#host/host';
import type { Definition } from '#script/definition';
import { type Fault, FAULTS } from '#script/entries';
import type { CommandContext } from './command.js';

/** One fault and the step at whose first beginning it comes. */
export interface Injection {
  readonly fault: Fault;
  readonly step: string;
}

/**
 * What `--inject` asks for.
 * @throws UsageError `E_INJECT_UNKNOWN`, RefusedError `E_INJECT_PRODUCTION`
 */
export function injectionsOf(
  typed: readonly string[],
  definition: Definition,
  rehearsal: boolean,
): readonly Injection[] {
  const steps = definition.acts.flatMap((act) => act.steps.map(({ id }) => id));
  return typed.map((text) => {
    if (!rehearsal) {
      throw new RefusedError({
        code: 'E_INJECT_PRODUCTION',
        message: `--inject ${text}: only a rehearsal is disturbed on purpose`,
        hint: 'add --rehearse, or leave --inject out',
      });
    }
    const [name = '', step = '', more] = text.split('@');
    const fault = FAULTS.find((known) => known === name);
    if (fault !== undefined && more === undefined && steps.includes(step)) return { fault, step };
    const near = fault === undefined ? nearest(name, FAULTS) : nearest(step, steps);
    throw new UsageError({
      code: 'E_INJECT_UNKNOWN',
      message:
        fault === undefined
          ? `--inject ${text}: there is no fault ${JSON.stringify(name)}`
          : `--inject ${text}: the ceremony ${definition.id} has no step ${JSON.stringify(step)}`,
      hint:
        near === undefined
          ? `give FAULT@STEP with one of ${FAULTS.join(', ')}, and a step that ceremony show names`
          : `did you mean ${near}?`,
    });
  });
}

/** A day, by which a bad clock is behind. */
const BEHIND_MS = 24 * 60 * 60 * 1000;

/** The faults of one process, armed one step at a time. */
export class Disturbance {
  #injections: readonly Injection[] = [];
  readonly #armed = new Set<Fault>();

  /** What is to come, once the definition is known. */
  plan(injections: readonly Injection[]): void {
    this.#injections = injections;
  }

  /** What begins to act at a step, if it has not done so before. Whatever an earlier step was meant to bear is over. */
  begin(step: string, before: readonly Injection[]): readonly Fault[] {
    this.#armed.clear();
    const own = this.#injections.filter(
      (it) =>
        it.step === step &&
        !before.some(({ fault, step: at }) => fault === it.fault && at === it.step),
    );
    return own.map(({ fault }) => fault);
  }

  arm(faults: readonly Fault[]): void {
    for (const fault of faults) this.#armed.add(fault);
  }

  /** Whether a fault that acts once was armed; it is no longer. */
  #take(fault: Fault): boolean {
    return this.#armed.delete(fault);
  }

  /** The machine, with this in its way. */
  context(context: CommandContext): CommandContext {
    const { host } = context;
    const now = (real: () => Date) => (): Date =>
      new Date(real().getTime() - (this.#armed.has('bad-clock') ? BEHIND_MS : 0));
    return {
      ...context,
      now: now(() => context.now()),
      host: {
        ...host,
        files: this.#files(host.files),
        now: now(() => host.now()),
        random: (length) => host.random(length),
        airGap: () => host.airGap(),
      },
    };
  }

  #files(files: HostFiles): HostFiles {
    const change = (): void => {
      // The power stays off: whatever else this process wants to write is not written either.
      if (this.#armed.has('power-cut')) {
        throw new TryAgainError({
          code: 'E_POWER_CUT',
          message:
            'the power was cut here, as this rehearsal asked for; what was in memory is gone',
          hint: 'go on with --resume; whatever fault is still to come is remembered',
        });
      }
      if (this.#take('full-disk')) {
        throw new OutputError({
          code: 'E_DISK_FULL',
          message: 'the disk is full, as this rehearsal asked for',
          hint: 'make room, then go on with --resume',
        });
      }
    };
    return {
      read: (path, maxBytes) => files.read(path, maxBytes),
      write: (path, bytes, options) => {
        change();
        files.write(path, bytes, options);
      },
      openSource: (path) => files.openSource(path),
      createSink: (path, options) => {
        change();
        return files.createSink(path, options);
      },
      append: (path, bytes) => {
        change();
        files.append(path, bytes);
      },
      truncate: (path, length) => {
        files.truncate(path, length);
      },
      exists: (path) => files.exists(path),
      isDirectory: (path) => files.isDirectory(path),
      list: (path) => files.list(path),
      makeDirectory: (path, options) => {
        files.makeDirectory(path, options);
      },
      remove: (path) => {
        files.remove(path);
      },
      blank: (path) => {
        files.blank(path);
      },
      shred: (path) => {
        files.shred(path);
      },
      sweep: (path) => {
        files.sweep(path);
      },
      lock: (path) => files.lock(path),
    };
  }

  /** People who give something wrong first, and read a card that the printer garbled. */
  asker(ask: Asker): Asker {
    const slipped = new Set<string>();
    const once = async (
      what: string,
      attempt: number,
      real: (attempt: number) => Promise<SecretBytes | undefined>,
    ): Promise<SecretBytes | undefined> => {
      if (attempt === 0 && this.#take('wrong-pin')) {
        slipped.add(what);
        return SecretBytes.adopt(utf8('not what was set'), 'a wrong one, on purpose');
      }
      return await real(slipped.has(what) ? attempt - 1 : attempt);
    };
    const { pin, converse } = ask;
    return {
      ...ask,
      passphrase: (question) =>
        once(question.opens, question.attempt, (attempt) =>
          ask.passphrase({ ...question, attempt }),
        ),
      ...(pin === undefined
        ? {}
        : {
            pin: (question) =>
              once(question.token, question.attempt, (attempt) => pin({ ...question, attempt })),
          }),
      ...(converse === undefined
        ? {}
        : {
            converse: async () => {
              const talk = await converse();
              return talk && this.#conversation(talk);
            },
          }),
    };
  }

  #conversation(talk: Conversation): Conversation {
    return {
      ...talk,
      text: async (question, check) => {
        const typed = await talk.text(question, check);
        return typed.length > LONG && this.#take('garbled-print') ? garbled(typed) : typed;
      },
    };
  }

  /** Files that a step reads: text of a card comes garbled, as from a bad printer. */
  files<F extends FileSpace>(files: F): F {
    const badly =
      (read: FileSpace['read']): FileSpace['read'] =>
      (path, maxBytes) => {
        const bytes = read(path, maxBytes);
        if (!path.endsWith('.txt') || !this.#take('garbled-print')) return bytes;
        return utf8(garbled(new TextDecoder().decode(bytes)));
      };
    const { read, named } = files;
    return {
      ...files,
      read: badly(read),
      ...(named === undefined ? {} : { named: { ...named, read: badly(named.read) } }),
    };
  }

  /** A token that was pulled, or whose PIN file holds another one's. */
  token(bound: () => BoundToken): BoundToken {
    if (this.#take('token-pulled')) {
      throw new UnavailableError({
        code: 'E_TOKEN_DEVICE_REMOVED',
        message: 'the token was pulled, as this rehearsal asked for',
        hint: 'put it back, and try again',
      });
    }
    const { readPin, ...rest } = bound();
    if (readPin === undefined) return rest;
    return { ...rest, readPin: () => (this.#take('wrong-pin') ? utf8('0000') : readPin()) };
  }
}

/** Codes and lines of cards are longer than what people answer. */
const LONG = 30;

/** One letter in the middle of a text made another one. */
function garbled(text: string): string {
  const places = [...text.matchAll(/[A-Z0-9]{4}/g)];
  const at = places[Math.floor(places.length / 2)]?.index;
  if (at === undefined) return `${text}?`;
  return `${text.slice(0, at)}${text.charAt(at) === 'Q' ? 'W' : 'Q'}${text.slice(at + 1)}`;
}
