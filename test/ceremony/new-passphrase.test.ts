/** A new secret that somebody types twice, and what is left of it when they do not. */
import { describe, expect, it } from 'vitest';
import { newSecret } from '#ceremony/new-passphrase';
import { utf8 } from '#formats/bytes';
import { InterruptedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { playedTerminal } from './people.js';

describe('a new secret', () => {
  it('is wiped when somebody interrupts the second question', async () => {
    const first = SecretBytes.adopt(utf8('correct horse battery staple'), 'test');
    const interruption = new InterruptedError({ code: 'E_INTERRUPTED', message: 'interrupted' });
    let asked = 0;
    const terminal = {
      ...playedTerminal(),
      secret: () => {
        if (asked++ > 0) return Promise.reject(interruption);
        return Promise.resolve({ value: first, source: 'person' as const });
      },
    };
    await expect(newSecret(terminal, { seals: 'a key', key: '' })).rejects.toBe(interruption);
    expect(asked).toBe(2);
    expect(() => first.use((bytes) => bytes.length)).toThrow();
  });
});
