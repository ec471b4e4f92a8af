/** Shares as `show` and `verify` know them: envelopes and SLIP-39 words. Neither opens a seal. */
import { looksLikeShare } from '#protocols/sharing/envelope';
import { checkShare, describeShare, describeWords } from '../shares/check.js';
import { looksLikeWords, readShare, takeSet } from '../shares/sources.js';
import type { ArtifactKind } from './artifact.js';

export const shareKind: ArtifactKind = {
  kind: 'share',
  detect: (bytes) => looksLikeShare(bytes) || looksLikeWords(bytes),
  show: (bytes, name) => {
    const read = readShare({ name, bytes });
    if (read.kind === 'envelope') return Promise.resolve(describeShare(read.share));
    read.share.value.fill(0);
    return Promise.resolve(describeWords(read.share));
  },
  verify: async (bytes, name, context) => {
    const { set } = takeSet([{ name, bytes }], undefined, context.files);
    const { ok, claims, notChecked, share } = await checkShare({ name, bytes }, undefined, set);
    const environment = share?.['environment'];
    const mark =
      typeof environment === 'string' && environment !== 'production'
        ? `${environment.toUpperCase()}, not for production: `
        : '';
    const first = ok ? 'share is undamaged' : 'share is damaged or does not belong to its set';
    return {
      ok,
      kind: 'share',
      summary: `${mark}${first}; not checked: ${notChecked.join('; ') || 'nothing'}`,
      claims,
    };
  },
};
