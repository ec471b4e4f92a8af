/** What the linter of definitions is told of this program: the algorithms of the registry, the probes of the machine. */
import { allDescriptors } from '#crypto/registry';
import type { Surroundings } from '#script/lint';
import type { ActionContext } from '../context/context.js';

/** Algorithms with their status, and the names of the probes of the air-gap report. */
export async function lintingSurroundings(
  context: Pick<ActionContext, 'airGap'>,
): Promise<Surroundings> {
  const descriptors = await allDescriptors();
  return {
    algorithms: descriptors.map(({ name, status }) => ({ name, status })),
    probes: context.airGap().map(({ name }) => name),
  };
}
