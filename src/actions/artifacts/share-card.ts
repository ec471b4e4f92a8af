/** The text of a share card as `show` and `verify` know it: its lines, and the share that they spell. */
import { looksLikeCard } from '#carriage/transport/card-text';
import type { ActionContext } from '../context/context.js';
import { shareOfCard } from '../shares/card-source.js';
import type { ArtifactKind, VerifyOptions } from './artifact.js';
import { shareKind } from './share.js';

export const shareCardKind: ArtifactKind = {
  kind: 'share-card',
  detect: looksLikeCard,
  show: async (bytes, name, context) => {
    const share = shareIn(bytes, name);
    try {
      return { card: 'text', ...(await shareKind.show(share, name, context)) };
    } finally {
      share.fill(0);
    }
  },
  verify: async (bytes, name, context: ActionContext, options: VerifyOptions) => {
    const share = shareIn(bytes, name);
    try {
      const verdict = await shareKind.verify(share, name, context, options);
      const lines = 'every line fits its check characters';
      return {
        ...verdict,
        kind: 'share-card',
        claims: [{ claim: 'lines', grade: 'checked', ok: true, detail: lines }, ...verdict.claims],
      };
    } finally {
      share.fill(0);
    }
  },
};

function shareIn(bytes: Uint8Array, name: string): Uint8Array {
  return shareOfCard(bytes, name)?.bytes ?? bytes.slice();
}
