/** Attestations of a home: one file each, named by the log's entry, so that neither can be taken away unseen. */
import { join } from 'node:path';
import type { Home } from '#carriage/stores/home';
import type { DurableFiles } from '#carriage/stores/store';
import { sha256 } from '#crypto/hash';
import type { ChainHead } from '#custody/audit/chain';
import { toHex } from '#formats/bytes';
import type { AttestationShelf } from './context.js';
import { appendEvent, homeHead } from './home-log.js';

/** Type of the log's entry that names an attestation. */
export const ATTESTED = 'attestation.made';

/** Name of the file of the attestation that the log's entry `seq` names. */
export function attestationName(seq: number): string {
  return `${String(seq).padStart(8, '0')}.dsse.json`;
}

/** The shelf of `home`. */
export function createShelf({
  disk,
  home,
  now,
  copy,
  identity,
}: {
  readonly disk: DurableFiles;
  readonly home: Home;
  readonly now: () => Date;
  readonly copy: string | undefined;
  readonly identity: string | undefined;
}): AttestationShelf {
  return {
    wanted: identity !== undefined || copy !== undefined,
    copy,
    location: home.attestations,
    get kept() {
      return home.exists();
    },
    head: () => (home.exists() ? homeHead(disk, home) : undefined),
    keep: (bytes, follows, names) =>
      home.change(() => {
        const head = homeHead(disk, home);
        if (!sameHead(head, follows)) return undefined;
        const name = attestationName(head === undefined ? 0 : head.seq + 1);
        const path = join(home.attestations, name);
        disk.makeDirectory(home.attestations, { secret: true });
        // A file that no entry names is what a process left that died just here.
        disk.write(path, bytes, { overwrite: true });
        appendEvent(disk, home, now, {
          type: ATTESTED,
          data: { ...names, file: name, sha256: toHex(sha256(bytes)) },
        });
        return path;
      }),
  };
}

function sameHead(a: ChainHead | undefined, b: ChainHead | undefined): boolean {
  return a?.seq === b?.seq && a?.hash === b?.hash;
}
