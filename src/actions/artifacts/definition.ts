/** Ceremony definitions as `show` and `verify` know them. The code that reads them is loaded only then. */
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { lintingSurroundings } from '../session/linting.js';
import type { ArtifactKind, ArtifactVerdict, Claim } from './artifact.js';

/** The kind `definition`. */
export const definitionKind: ArtifactKind = {
  kind: 'definition',
  // Plain text says little of itself: the version line of the format, at the left margin, behind comments at most.
  detect(bytes) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16 * 1024));
    return /^(?:#[^\n]*\n|\s*\n)*conclave:[ \t]*\d/.test(text.toString('latin1'));
  },
  async show(bytes, name) {
    const { parseDefinition } = await import('#script/parse');
    const { definition } = parseDefinition(bytes, name);
    return {
      id: definition.id,
      title: definition.title,
      summary: definition.summary,
      classification: definition.classification,
      unattended: definition.unattended,
      digest: digestOf(bytes),
      parameters: Object.entries(definition.parameters).map(([parameter, { type, summary }]) => ({
        name: parameter,
        type,
        summary,
      })),
      roles: Object.entries(definition.roles).map(([role, { count, identity }]) => ({
        name: role,
        count,
        identity,
      })),
      quorums: Object.entries(definition.quorums).map(([quorum, { of, threshold, shares }]) => ({
        name: quorum,
        of,
        threshold,
        shares,
      })),
      acts: definition.acts.map(({ id, title, steps }) => ({ id, title, steps: steps.length })),
      waive: definition.waive,
    };
  },
  async verify(bytes, name, context): Promise<ArtifactVerdict> {
    const [{ parseDefinition }, { lint }] = await Promise.all([
      import('#script/parse'),
      import('#script/lint'),
    ]);
    const { definition, positions } = parseDefinition(bytes, name);
    const findings = lint(
      definition,
      positions,
      (await context.catalogue?.()) ?? [],
      await lintingSurroundings(context),
    );
    const claims: Claim[] = findings.map(({ line, column, rule, message }) => ({
      claim: `${name}:${line}:${column}`,
      grade: 'checked',
      ok: false,
      detail: `${message} (${rule})`,
    }));
    const ok = findings.length === 0;
    if (ok) {
      claims.push({
        claim: 'the linter',
        grade: 'checked',
        ok,
        detail: 'no finding',
      });
    }
    claims.push({ claim: 'digest', grade: 'checked', ok: true, detail: digestOf(bytes) });
    const mark = definition.classification === 'dev' ? 'DEV: ' : '';
    return {
      ok,
      kind: 'definition',
      summary: `${mark}definition of ${definition.id}, ${ok ? 'sound' : `${findings.length} findings`}`,
      claims,
    };
  },
};

function digestOf(bytes: Uint8Array): string {
  return `sha256:${toHex(sha256(bytes))}`;
}
