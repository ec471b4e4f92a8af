/** The real machine: Node's file system, clock and random generator behind the host interface. */
import { randomFillSync } from 'node:crypto';
import { probeAirGap, thisMachine } from './air-gap.js';
import { createFiles } from './files.js';
import { type FsPort, nodeFs } from './fs-port.js';
import type { Host } from './host.js';

/** What tests replace. */
export interface HostOptions {
  /** Every system call that reads or changes the disk; the real ones by default. */
  readonly fs?: FsPort;
}

/** The machine this process runs on. */
export function createHost(options: HostOptions = {}): Host {
  const fs = options.fs ?? nodeFs;
  const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));
  const now = (): Date => new Date();
  return {
    files: createFiles(fs, random),
    now,
    random,
    airGap: () => probeAirGap(thisMachine(nodeFs, now)),
  };
}
