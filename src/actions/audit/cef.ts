/**
 * CEF, the Common Event Format that log collectors take. One line per entry; the hash in it leads back to the chain.
 * @see ArcSight Common Event Format, version 0
 */
import { type ChainEntry, entryHash } from '#custody/audit/chain';
import { canonicalJson } from '#formats/canonical-json';

/** Ends and dangers are what somebody may want to be woken for; 0 to 10. */
function severity(type: string): number {
  if (/destroyed|compromised|revoked|refused/.test(type)) return 8;
  return /^(?:key|share|identity|hsm|policy)\./.test(type) ? 5 : 3;
}

/** One line, ended by a line feed. */
export function cefLine(entry: ChainEntry, version: string): string {
  const { seq, time, type, data, prev } = entry;
  const header = ['CEF:0', 'conclave', 'conclave', version, type, type.replaceAll('.', ' ')];
  const fields = {
    rt: String(Date.parse(time)),
    externalId: String(seq),
    cs1Label: 'hash',
    cs1: entryHash(entry),
    cs2Label: 'previous',
    cs2: prev,
    msg: canonicalJson(data),
  };
  const extension = Object.entries(fields)
    .map(([name, value]) => `${name}=${escapeValue(value)}`)
    .join(' ');
  return `${[...header, severity(type)].map((part) => escapeHeader(String(part))).join('|')}|${extension}\n`;
}

function escapeHeader(text: string): string {
  return text.replace(/[\\|]/g, '\\$&');
}

function escapeValue(text: string): string {
  return text.replace(/[\\=]/g, '\\$&').replace(/\r?\n|\r/g, '\\n');
}
