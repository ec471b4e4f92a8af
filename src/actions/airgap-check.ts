import { defineAction } from './action.js';

/** `conclave airgap check`. */
export const airgapCheck = defineAction({
  id: 'airgap.check',
  summary: 'look for ways in and out of this machine',
  description:
    'Reports network interfaces, routes, radios, swap, core dumps, hibernation, clock, randomness, virtualisation, debuggers, ' +
    'temporary files, shell history, crash reporters, automounters and removable media, as the operating system tells of them. It can warn, not prove: a kernel that lies is not found out.',
  inputs: {
    strict: {
      type: 'boolean',
      summary: 'the answer is no when anything was found or could not be checked',
    },
  },
  outputs: { report: { type: 'report', summary: 'one line per probe' } },
  effect: 'none',
  exits: [1],
  examples: [
    { command: 'conclave airgap check', explains: 'a report' },
    { command: 'conclave airgap check --strict', explains: 'exit 1 unless everything is in order' },
  ],
  run({ strict }, context) {
    const report = context.airGap();
    const findings = report.filter(({ result }) => result === 'finding').length;
    const notChecked = report.filter(({ result }) => result === 'not-checked').length;
    const ok = strict !== true || findings + notChecked === 0;
    const probes = report.map(({ name, result, detail }) => ({ name, result, detail }));
    return Promise.resolve({ ok, strict: strict === true, findings, notChecked, report: probes });
  },
  present: ({ report, findings, notChecked }) => {
    const width = Math.max(...report.map(({ name }) => name.length));
    const words = { ok: 'ok      ', finding: 'FINDING ', 'not-checked': 'unknown ' } as const;
    return [
      ...report.map(
        ({ name, result, detail }) => `${words[result]} ${name.padEnd(width)}  ${detail}`,
      ),
      `${findings} findings, ${notChecked} not checked`,
    ].join('\n');
  },
});
