/** Probes for what would keep a trace, or act by itself: shells that write a history, programs that collect crashes or mount media. */
import { basename, dirname } from 'node:path';
import type { Machine } from './air-gap.js';
import type { Probe } from './host.js';

type Verdict = Omit<Probe, 'name'>;

/** Files in which shells and their kin remember what was typed. */
const HISTORIES = [
  '.bash_history',
  '.zsh_history',
  '.local/share/fish/fish_history',
  '.python_history',
  '.node_repl_history',
];

/** Programs that take a crashed process's memory, by the names that the kernel knows. */
const CRASH_COLLECTORS: ReadonlySet<string> = new Set([
  'abrtd',
  'abrt-dump-journ',
  'apport',
  'apport-notify',
  'whoopsie',
  'systemd-coredum',
  'crashpad_handle',
  'drkonqi',
]);

/** Programs that mount what is plugged in. */
const MOUNTERS: ReadonlySet<string> = new Set([
  'automount',
  'udisksd',
  'udiskie',
  'usbmount',
  'devmon',
  'gvfs-udisks2-vo',
  'gvfs-mtp-volume',
  'gvfs-gphoto2-vo',
]);

/** Histories of the account that runs the program; a link to nowhere is empty, and fine. */
export function shellHistory(machine: Machine): Verdict {
  const { home } = machine;
  if (home === undefined || machine.list(home) === undefined)
    return notChecked('it is not known where this account keeps its files');
  // What is there and cannot be read as text is no empty file.
  const kept = HISTORIES.filter((name) => {
    const path = `${home}/${name}`;
    return (
      (machine.list(dirname(path)) ?? []).includes(basename(path)) && machine.read(path) !== ''
    );
  });
  return kept.length > 0
    ? finding(`shells of this account keep what is typed: ${kept.join(', ')}`)
    : ok('no shell of this account has kept what was typed');
}

export function crashReporters(machine: Machine): Verdict {
  return running(machine, CRASH_COLLECTORS, (names) =>
    names.length > 0
      ? finding(`programs collect what crashes: ${names.join(', ')}`)
      : ok('no program that collects crashes is running'),
  );
}

export function automounters(machine: Machine): Verdict {
  return running(machine, MOUNTERS, (names) =>
    names.length > 0
      ? finding(`what is plugged in is mounted by ${names.join(', ')}`)
      : ok('nothing mounts media by itself'),
  );
}

/** Media that can be taken away, and card readers and drives that hold none. */
export function removableMedia(machine: Machine): Verdict {
  const devices = machine.list('/sys/block');
  if (devices === undefined) return notChecked('the kernel does not list disks');
  const attached = devices.filter((name) => {
    const at = (member: string): string =>
      machine.read(`/sys/block/${name}/${member}`)?.trim() ?? '';
    return at('removable') === '1' && at('size') !== '0' && at('size') !== '';
  });
  return attached.length > 0
    ? finding(`removable media are attached: ${attached.join(', ')}`)
    : ok('no removable medium is attached');
}

function running(
  machine: Machine,
  wanted: ReadonlySet<string>,
  say: (names: readonly string[]) => Verdict,
): Verdict {
  const processes = machine.list('/proc')?.filter((name) => /^\d+$/.test(name));
  if (processes === undefined || processes.length === 0)
    return notChecked('the kernel does not list processes');
  const names = processes.map((id) => machine.read(`/proc/${id}/comm`)?.trim() ?? '');
  return say([...new Set(names.filter((name) => wanted.has(name)))].sort());
}

function ok(detail: string): Verdict {
  return { result: 'ok', detail };
}

function finding(detail: string): Verdict {
  return { result: 'finding', detail };
}

function notChecked(detail: string): Verdict {
  return { result: 'not-checked', detail };
}
