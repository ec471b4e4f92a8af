/**
 * The air-gap report: what the operating system says about the ways in and out of this machine, and about the places where
 * memory could leak to a medium. It is self-reported by the kernel, so it can warn but not prove.
 */
import { constants } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { fromUtf8 } from '#formats/bytes';
import { automounters, crashReporters, removableMedia, shellHistory } from './air-gap-traces.js';
import { withFile } from './file-calls.js';
import type { FsPort } from './fs-port.js';
import type { Probe } from './host.js';

/** The parts of a machine that the probes look at. */
export interface Machine {
  readonly platform: string;
  /** Text of a small system file; `undefined` when there is none or it cannot be read. */
  read(path: string): string | undefined;
  /** Names in a system folder; `undefined` when there is none. */
  list(path: string): readonly string[] | undefined;
  now(): Date;
  readonly temporaryFolder: string;
  /** Home of the account; undefined when the system does not say. */
  readonly home: string | undefined;
  /** Arguments that Node itself was started with. */
  readonly runtimeArguments: readonly string[];
}

type Verdict = Omit<Probe, 'name'>;
type ProbeOf = (machine: Machine) => Verdict;

const PROBES: Readonly<Record<string, ProbeOf>> = {
  'network-interfaces': networkInterfaces,
  'default-route': defaultRoute,
  radios,
  swap,
  'core-dumps': coreDumps,
  hibernation,
  clock,
  entropy,
  virtualisation,
  debugger: attachedDebugger,
  'temporary-files': temporaryFiles,
  'shell-history': shellHistory,
  'crash-reporters': crashReporters,
  automounters,
  'removable-media': removableMedia,
};

/** Names of all probes, in the order of the report. */
export const probeNames: readonly string[] = Object.keys(PROBES);

/** The report: one line per probe; outside Linux every probe is `not-checked`. */
export function probeAirGap(machine: Machine): readonly Probe[] {
  return Object.entries(PROBES).map(([name, probe]) => {
    if (machine.platform !== 'linux') {
      return { name, ...notChecked(`this probe knows Linux only, not ${machine.platform}`) };
    }
    return { name, ...probe(machine) };
  });
}

/** The running machine, read through a port. */
export function thisMachine(fs: FsPort, now: () => Date): Machine {
  return {
    platform: process.platform,
    read: (path) => {
      try {
        return withFile(fs, path, constants.O_RDONLY, 0, (fd) => readSmall(fs, fd));
      } catch {
        return undefined;
      }
    },
    list: (path) => {
      try {
        return fs.readdir(path);
      } catch {
        return undefined;
      }
    },
    now,
    temporaryFolder: tmpdir(),
    home: homedir(),
    runtimeArguments: [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')],
  };
}

function readSmall(fs: FsPort, fd: number): string {
  const buffer = new Uint8Array(256 * 1024);
  let length = 0;
  for (;;) {
    const count = fs.read(fd, buffer, length);
    length += count;
    if (count === 0 || length === buffer.length) return fromUtf8(buffer.subarray(0, length));
  }
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

/** Lines of a table below its heading, split at white space. */
function rows(text: string, headings: number): string[][] {
  return text
    .split('\n')
    .slice(headings)
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}

function networkInterfaces(machine: Machine): Verdict {
  // /proc/net/dev lists the interfaces of this process's own network namespace; /sys may show another's.
  const table = machine.read('/proc/net/dev');
  const names =
    table === undefined
      ? machine.list('/sys/class/net')
      : rows(table, 2).map((row) => (row[0] ?? '').split(':')[0] ?? '');
  if (names === undefined) return notChecked('the kernel does not list network interfaces');
  const others = names.filter((name) => name !== 'lo');
  const up = others.filter((name) => {
    const flags = machine.read(`/sys/class/net/${name}/flags`);
    // Bit 0 is IFF_UP; an interface whose state cannot be read counts as up.
    return flags === undefined || (Number.parseInt(flags, 16) & 1) === 1;
  });
  if (up.length > 0) return finding(`network interfaces are up: ${up.join(', ')}`);
  if (others.length > 0) return ok(`network interfaces exist and are down: ${others.join(', ')}`);
  return ok('no network interface besides the loopback');
}

function defaultRoute(machine: Machine): Verdict {
  const v4 = machine.read('/proc/net/route');
  const v6 = machine.read('/proc/net/ipv6_route');
  if (v4 === undefined && v6 === undefined) return notChecked('the kernel does not list routes');
  const through = new Set<string>();
  for (const row of rows(v4 ?? '', 1)) {
    // Iface Destination Gateway Flags RefCnt Use Metric Mask; bit 0 of the flags is RTF_UP.
    const isUp = (Number.parseInt(row[3] ?? '0', 16) & 1) === 1;
    if (isUp && row[1] === '00000000' && row[7] === '00000000') through.add(row[0] ?? '');
  }
  for (const row of rows(v6 ?? '', 0)) {
    // Destination and prefix come first, flags and device last; bit 9 is RTF_REJECT: "no route".
    const rejects = (Number.parseInt(row[8] ?? '0', 16) & 0x200) !== 0;
    const device = row[9] ?? '';
    if (/^0{32}$/.test(row[0] ?? '') && row[1] === '00' && !rejects && device !== 'lo') {
      through.add(device);
    }
  }
  return through.size > 0
    ? finding(`a default route leads out through ${[...through].join(', ')}`)
    : ok('no default route');
}

function radios(machine: Machine): Verdict {
  const switches = machine.list('/sys/class/rfkill') ?? [];
  const on: string[] = [];
  const off: string[] = [];
  for (const name of switches) {
    const at = (member: string): string =>
      machine.read(`/sys/class/rfkill/${name}/${member}`)?.trim() ?? '';
    (at('soft') === '1' || at('hard') === '1' ? off : on).push(`${at('type')} ${at('name')}`);
  }
  if (on.length > 0) return finding(`radios are on: ${on.join(', ')}`);
  const unswitched = [
    ...(machine.list('/sys/class/ieee80211') ?? []),
    ...(machine.list('/sys/class/bluetooth') ?? []),
  ];
  if (off.length > 0) return ok(`radios are switched off: ${off.join(', ')}`);
  if (unswitched.length > 0)
    return finding(`radios exist that have no switch: ${unswitched.join(', ')}`);
  return machine.list('/sys/class') === undefined
    ? notChecked('the kernel does not list devices')
    : ok('the kernel knows of no radio');
}

function activeSwap(machine: Machine): readonly string[] | undefined {
  const table = machine.read('/proc/swaps');
  return table === undefined ? undefined : rows(table, 1).map((row) => row[0] ?? '');
}

function swap(machine: Machine): Verdict {
  const active = activeSwap(machine);
  if (active === undefined) return notChecked('the kernel does not list swap space');
  return active.length > 0
    ? finding(`memory can be swapped out to ${active.join(', ')}`)
    : ok('no swap space is in use');
}

function coreDumps(machine: Machine): Verdict {
  const limits = machine.read('/proc/self/limits');
  const pattern = machine.read('/proc/sys/kernel/core_pattern')?.trim();
  const limit = limits === undefined ? undefined : /^Max core file size\s+(\S+)/m.exec(limits)?.[1];
  if (limit === undefined || pattern === undefined) {
    return notChecked('the kernel does not tell the core dump settings');
  }
  // core(5): a pipe receives dumps whatever the limit, except for a limit of exactly one byte.
  if (pattern.startsWith('|') && limit !== '1') {
    return finding(`core dumps are piped to ${pattern.slice(1).split(' ')[0] ?? ''}`);
  }
  return limit === '0'
    ? ok('core dumps are off')
    : finding(`core dumps are on: the limit is ${limit}`);
}

function hibernation(machine: Machine): Verdict {
  const states = machine.read('/sys/power/state');
  if (states === undefined || !states.split(/\s+/).includes('disk')) {
    return ok('this kernel cannot hibernate');
  }
  const resume = machine.read('/sys/power/resume')?.trim() ?? '0:0';
  const active = activeSwap(machine) ?? [];
  return active.length > 0 || resume !== '0:0'
    ? finding('this machine can hibernate: memory would be written to disk')
    : ok('this kernel can hibernate, but has no place to write memory to');
}

/** Before this program was written no clock was right. */
const EARLIEST = Date.UTC(2026, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
const CLOCK_TOLERANCE_SECONDS = 300;

function clock(machine: Machine): Verdict {
  const now = machine.now();
  const shown = `${now.toISOString().slice(0, 19)}Z`;
  if (now.getTime() < EARLIEST || now.getTime() >= LATEST) {
    return finding(`the clock says ${shown}, which cannot be right`);
  }
  const hardware = machine.read('/sys/class/rtc/rtc0/since_epoch')?.trim();
  if (hardware === undefined) {
    return ok(`the clock says ${shown}; there is no hardware clock to compare it with`);
  }
  const apart = Math.abs(now.getTime() / 1000 - Number(hardware));
  return apart <= CLOCK_TOLERANCE_SECONDS
    ? ok(`the clock says ${shown}, and the hardware clock agrees`)
    : finding(
        `the clock says ${shown}, the hardware clock is ${Math.round(apart)} seconds away from it`,
      );
}

function entropy(machine: Machine): Verdict {
  const available = machine.read('/proc/sys/kernel/random/entropy_avail')?.trim();
  if (available === undefined) return notChecked('the kernel does not tell its entropy');
  // Kernels since 5.18 say 256 once their generator is seeded; older ones count up to 4096.
  return Number(available) >= 128
    ? ok(`the kernel's generator is seeded (${available} bits)`)
    : finding(`the kernel's generator has ${available} bits of entropy only`);
}

function virtualisation(machine: Machine): Verdict {
  const processors = machine.read('/proc/cpuinfo');
  if (processors === undefined) return notChecked('the kernel does not describe the processor');
  const product = machine.read('/sys/class/dmi/id/product_name')?.trim() ?? '';
  const hypervisor = machine.read('/sys/hypervisor/type')?.trim() ?? '';
  if (/^flags\s*:.*\bhypervisor\b/m.test(processors) || hypervisor !== '') {
    const name = hypervisor === '' ? product : hypervisor;
    return finding(
      `this is a virtual machine${name === '' ? '' : ` (${name})`}: its host can read its memory`,
    );
  }
  return ok(`no hypervisor is announced${product === '' ? '' : ` (${product})`}`);
}

function attachedDebugger(machine: Machine): Verdict {
  if (machine.runtimeArguments.some((argument) => argument.startsWith('--inspect'))) {
    return finding('this process was started with the inspector open');
  }
  const status = machine.read('/proc/self/status');
  const tracer = status === undefined ? undefined : /^TracerPid:\s+(\d+)/m.exec(status)?.[1];
  if (tracer === undefined) return notChecked('the kernel does not tell whether we are traced');
  return tracer === '0'
    ? ok('no debugger is attached')
    : finding(`process ${tracer} traces this one`);
}

function temporaryFiles(machine: Machine): Verdict {
  const mounts = machine.read('/proc/self/mountinfo');
  if (mounts === undefined) return notChecked('the kernel does not list mounts');
  let best = { point: '', type: '' };
  for (const row of rows(mounts, 0)) {
    const point = (row[4] ?? '').replaceAll('\\040', ' ');
    const inside =
      machine.temporaryFolder === point ||
      machine.temporaryFolder.startsWith(point === '/' ? '/' : `${point}/`);
    // A later mount on the same point hides the earlier one.
    if (inside && point.length >= best.point.length) {
      best = { point, type: row[row.indexOf('-') + 1] ?? '' };
    }
  }
  return best.type === 'tmpfs' || best.type === 'ramfs'
    ? ok(`temporary files stay in memory (${machine.temporaryFolder} is ${best.type})`)
    : finding(`temporary files reach a disk (${machine.temporaryFolder} is ${best.type})`);
}
