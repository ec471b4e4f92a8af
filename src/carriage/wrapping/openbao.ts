/** OpenBao: as Vault, with more kinds of keys. */
import { importFormat } from './providers/format.js';
import { openBaoTransit } from './vault-transit.js';

/** The format `openbao`; what Vault and OpenBao hand out looks the same, so this one is always named. */
export const format = { ...importFormat(openBaoTransit), claims: () => false };
