import { describe, expect, it } from 'vitest';
import { type Machine, probeAirGap, probeNames, thisMachine } from '#host/air-gap';
import { nodeFs } from '#host/fs-port';

/** A laptop as it should be in the room. */
const QUIET: Readonly<Record<string, string>> = {
  '/proc/net/dev': 'Inter-|   Receive\n face |bytes\n    lo: 1 2\n  eth0: 0 0\n',
  '/sys/class/net/eth0/flags': '0x1002\n',
  '/proc/net/route': 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n',
  '/proc/net/ipv6_route':
    '00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
  '/proc/self/limits':
    'Limit  Soft  Hard  Units\nMax core file size        0        unlimited    bytes\n',
  '/proc/sys/kernel/core_pattern': 'core\n',
  '/sys/power/state': 'freeze mem disk\n',
  '/sys/power/resume': '0:0\n',
  '/sys/class/rtc/rtc0/since_epoch': '1795426200\n',
  '/proc/sys/kernel/random/entropy_avail': '256\n',
  '/proc/cpuinfo': 'flags\t\t: fpu vme de\n',
  '/proc/self/status': 'Name:\tnode\nTracerPid:\t0\n',
  '/home/ada/.bash_history': '',
  '/proc/1/comm': 'init\n',
  '/proc/77/comm': 'node\n',
  '/sys/block/sda/removable': '0\n',
  '/sys/block/sda/size': '1000\n',
  '/sys/block/sr0/removable': '1\n',
  '/sys/block/sr0/size': '0\n',
  '/proc/self/mountinfo':
    '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:30 / /tmp rw - tmpfs tmpfs rw\n',
};
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  '/sys/class': ['net'],
  '/sys/class/rfkill': [],
  '/home/ada': ['.bash_history', 'notes'],
  '/proc': ['1', '77', 'self', 'swaps'],
  '/sys/block': ['sda', 'sr0'],
};

function machine(
  changes: Readonly<Record<string, string | undefined>> = {},
  more: Partial<Machine> & { folders?: Readonly<Record<string, readonly string[]>> } = {},
): Machine {
  const all: Readonly<Record<string, string | undefined>> = { ...QUIET, ...changes };
  const folders = { ...FOLDERS, ...more.folders };
  return {
    platform: 'linux',
    read: (path) => all[path],
    list: (path) => folders[path],
    now: () => new Date('2026-11-23T09:30:00Z'),
    temporaryFolder: '/tmp',
    home: '/home/ada',
    runtimeArguments: [],
    ...more,
  };
}

function probe(name: string, of: Machine): { result: string; detail: string } {
  const found = probeAirGap(of).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no probe ${name}`);
  return found;
}

describe('air-gap probes', () => {
  it('are the ones that definitions name', () => {
    expect(probeNames).toEqual([
      'network-interfaces',
      'default-route',
      'radios',
      'swap',
      'core-dumps',
      'hibernation',
      'clock',
      'entropy',
      'virtualisation',
      'debugger',
      'temporary-files',
      'shell-history',
      'crash-reporters',
      'automounters',
      'removable-media',
    ]);
  });

  it('find nothing on a quiet laptop', () => {
    expect(probeAirGap(machine()).filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  const route = QUIET['/proc/net/route'] ?? '';
  const findings: readonly [string, Machine, RegExp][] = [
    ['network-interfaces', machine({ '/sys/class/net/eth0/flags': '0x1003' }), /eth0/],
    ['network-interfaces', machine({ '/sys/class/net/eth0/flags': undefined }), /eth0/],
    [
      'default-route',
      machine({ '/proc/net/route': `${route}eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n` }),
      /eth0/,
    ],
    [
      'default-route',
      machine({
        '/proc/net/ipv6_route': `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe80${'0'.repeat(27)}1 00000400 00000001 00000000 00000003     wlan0\n`,
      }),
      /wlan0/,
    ],
    [
      'radios',
      machine(
        {
          '/sys/class/rfkill/rfkill0/soft': '0',
          '/sys/class/rfkill/rfkill0/hard': '0',
          '/sys/class/rfkill/rfkill0/type': 'wlan',
          '/sys/class/rfkill/rfkill0/name': 'phy0',
        },
        { folders: { '/sys/class/rfkill': ['rfkill0'] } },
      ),
      /wlan phy0/,
    ],
    ['radios', machine({}, { folders: { '/sys/class/bluetooth': ['hci0'] } }), /hci0/],
    ['swap', machine({ '/proc/swaps': 'Filename\n/dev/sda2 partition 8 0 -2\n' }), /\/dev\/sda2/],
    ['core-dumps', machine({ '/proc/sys/kernel/core_pattern': '|/usr/bin/apport %p\n' }), /apport/],
    [
      'core-dumps',
      machine({ '/proc/self/limits': 'Max core file size    unlimited   unlimited  bytes\n' }),
      /unlimited/,
    ],
    ['hibernation', machine({ '/sys/power/resume': '8:2\n' }), /hibernate/],
    ['clock', machine({}, { now: () => new Date(0) }), /1970/],
    ['clock', machine({ '/sys/class/rtc/rtc0/since_epoch': '1795433400' }), /7200 seconds/],
    ['entropy', machine({ '/proc/sys/kernel/random/entropy_avail': '20' }), /20 bits/],
    ['virtualisation', machine({ '/proc/cpuinfo': 'flags : fpu hypervisor\n' }), /virtual/],
    ['debugger', machine({ '/proc/self/status': 'TracerPid:\t4711\n' }), /4711/],
    ['debugger', machine({}, { runtimeArguments: ['--inspect-brk'] }), /inspector/],
    ['temporary-files', machine({}, { temporaryFolder: '/var/tmp' }), /ext4/],
    ['shell-history', machine({ '/home/ada/.bash_history': 'ls\n' }), /\.bash_history/],
    ['shell-history', machine({ '/home/ada/.bash_history': undefined }), /\.bash_history/],
    [
      'shell-history',
      machine({}, { folders: { '/home/ada/.local/share/fish': ['fish_history'] } }),
      /fish_history/,
    ],
    ['crash-reporters', machine({ '/proc/77/comm': 'whoopsie\n' }), /whoopsie/],
    ['automounters', machine({ '/proc/77/comm': 'udisksd\n' }), /udisksd/],
    ['removable-media', machine({ '/sys/block/sr0/size': '20480\n' }), /sr0/],
  ];
  for (const [name, of, words] of findings) {
    it(`${name}: ${words.source}`, () => {
      expect(probe(name, of).result).toBe('finding');
      expect(probe(name, of).detail).toMatch(words);
    });
  }

  it('see that radios are switched off', () => {
    const blocked = machine(
      { '/sys/class/rfkill/rfkill0/soft': '1', '/sys/class/rfkill/rfkill0/hard': '0' },
      { folders: { '/sys/class/rfkill': ['rfkill0'] } },
    );
    expect(probe('radios', blocked).result).toBe('ok');
  });

  it('say so when the kernel tells nothing, and check nothing elsewhere', () => {
    const silent = machine({}, { read: () => undefined, list: () => undefined });
    const results = probeAirGap(silent).filter(({ result }) => result === 'not-checked');
    expect(results.length).toBeGreaterThan(5);
    const other = probeAirGap(machine({}, { platform: 'darwin' }));
    expect(other.every(({ result }) => result === 'not-checked')).toBe(true);
  });

  it('answer on this machine', () => {
    const report = probeAirGap(thisMachine(nodeFs, () => new Date()));
    expect(report.map(({ name }) => name)).toEqual(probeNames);
    if (process.platform !== 'linux') return;
    const expected = ['swap', 'debugger', 'entropy', 'temporary-files', 'network-interfaces'];
    for (const name of expected) {
      expect(report.find((each) => each.name === name)?.result).not.toBe('not-checked');
    }
  });
});
