/** SLIP-39: the mnemonics of the reference implementation, valid and invalid, and the word list. */
export const area = 'slip39';

const PASSPHRASE = 'TREZOR';

async function mnemonics(path, tools) {
  const tally = tools.tally();
  const { combineSlip39 } = await tools.load('protocols/sharing/slip39');
  const { decodeMnemonic, encodeMnemonic } = await tools.load('protocols/sharing/slip39-mnemonic');
  for (const [title, texts, secret] of tools.json(path)) {
    const combine = () => {
      const shares = texts.map((text, i) => {
        const name = `share ${i + 1}`;
        return { name, share: decodeMnemonic(text, name) };
      });
      return { shares, secret: combineSlip39(shares, tools.utf8(PASSPHRASE)) };
    };
    // An empty secret says that these must be refused.
    if (secret === '') await tally.refused(title, combine);
    else {
      await tally.check(title, () => {
        const combined = combine();
        const same = combined.shares.every(({ share }, i) => encodeMnemonic(share) === texts[i]);
        return same && tools.equal(combined.secret, tools.hex(secret));
      });
    }
  }
  return tally.result();
}

async function wordList(path, tools) {
  const tally = tools.tally();
  const { SLIP39_WORDS } = await tools.load('protocols/sharing/slip39-words');
  const published = tools.text(path).trim().split('\n');
  await tally.check('word list', () => published.join() === SLIP39_WORDS.join());
  return tally.result();
}

export const files = [
  { pattern: /^vectors\.json$/, run: mnemonics },
  { pattern: /^wordlist\.txt$/, run: wordList },
];
