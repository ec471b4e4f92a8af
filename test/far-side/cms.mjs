/**
 * Opens a CMS message from the parts that test/independent/open_cms.py found in it, with node:crypto of a Node that has ML-KEM
 * (24.7 and later): RFC 9629 §2 and §5, RFC 9936, RFC 5084, without anything of conclave.
 *
 *   python3 open_cms.py MESSAGE | node cms.mjs PRIVATE.pem >CONTENT
 *
 * PRIVATE.pem is an ML-KEM key as PKCS#8. A message that is not for it, or was changed, is an error.
 */
import { createDecipheriv, createPrivateKey, decapsulate, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const NAMES = {
  '2.16.840.1.101.3.4.4.1': 'ml-kem-512',
  '2.16.840.1.101.3.4.4.2': 'ml-kem-768',
  '2.16.840.1.101.3.4.4.3': 'ml-kem-1024',
};
const AES_256_GCM = '2.16.840.1.101.3.4.1.46';

const key = createPrivateKey(readFileSync(process.argv[2]));
const message = JSON.parse(readFileSync(0, 'utf8'));
const hex = (text) => Buffer.from(text, 'hex');
if (message.cipher !== AES_256_GCM) throw new Error(`another cipher: ${message.cipher}`);

/** The content-encryption key as one recipient has it; undefined when this is somebody else's. */
function contentKeyOf({ kem, ciphertext, kdfInfo, encryptedKey }) {
  if (NAMES[kem] !== key.asymmetricKeyType) return undefined;
  const shared = decapsulate(key, hex(ciphertext));
  const kek = Buffer.from(hkdfSync('sha256', shared, '', hex(kdfInfo), 32));
  const unwrap = createDecipheriv('id-aes256-wrap', kek, Buffer.alloc(8, 0xa6));
  try {
    return Buffer.concat([unwrap.update(hex(encryptedKey)), unwrap.final()]);
  } catch {
    return undefined;
  }
}

const contentKey = message.recipients.map(contentKeyOf).find((found) => found !== undefined);
if (contentKey === undefined) throw new Error('no recipient has this key');
const cipher = createDecipheriv('aes-256-gcm', contentKey, hex(message.nonce));
cipher.setAAD(hex(message.aad));
cipher.setAuthTag(hex(message.tag));
process.stdout.write(Buffer.concat([cipher.update(hex(message.body)), cipher.final()]));
