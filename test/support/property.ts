/**
 * Properties over the same cases in every run: a build that is red was made red by a change. Other cases are tried on purpose,
 * `CONCLAVE_SEED=7 npx vitest run ...`; what fails is then the same again under that seed.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['CONCLAVE_SEED'] ?? 20_261_127) });

export { fc };
