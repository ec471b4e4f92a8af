/** Paths of a site file: from that file, or, where they are absolute, as they are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/require.js';
import { smallCeremony } from './directory.js';
import { checkSession } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const SET = `- id: set
  title: Read the description of the set
  by: administrator
  uses: share.set
  with:
    set: \${{ parameters.set }}
  effect: none`;

describe('a file bound by the site', () => {
  it.each([
    ['an absolute path', '/elsewhere/set.json'],
    ['a path from the site file', 'medium/set.json'],
  ])('is found by %s', async (_, path) => {
    const disk = new Disk();
    furnish(disk);
    const definition = smallCeremony(SET).replace(
      'roles:',
      'parameters:\n  set: { type: path, summary: the set, default: set.json }\nroles:',
    );
    place(disk, '/small.yaml', definition);
    place(disk, '/acme/site.yaml', `site: 1\nbindings: { set: ${path} }\n`);
    const set = readFileSync(join(root, 'ceremonies/answers/refresh-shares/set.json'));
    place(disk, path.startsWith('/') ? path : join('/acme', path), set);
    const context = await roomContext(disk, { terminal: playedTerminal() });
    const input = { ceremony: '/small.yaml', outDir: '/out', site: '/acme/site.yaml' };
    expect(await runIn(context, { ...input, rehearse: true })).toMatchObject({ ok: true });
    const { of } = await checkSession(disk, '/out', await context.catalogue());
    const read = of('step.finished').find(({ data }) => data.step === 'set');
    expect(read?.data.outputs['root']).toMatch(/^(?:sha256:)?[0-9a-f]{64}$/);
  });
});
