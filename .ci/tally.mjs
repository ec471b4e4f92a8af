/**
 * Counts what a stage reported: lines of `RESULT<tab>COUNT<tab>NAME` for `.ci/run`. A stage that failed without a report,
 * or whose report has nothing in it, is a failure.
 *
 *   node .ci/tally.mjs vitest|conformance|rehearsals FILE EXIT-STATUS NAME
 */
import { existsSync, readFileSync } from 'node:fs';

const [kind, file, status, name] = process.argv.slice(2);
const rows = [];
const note = (result, count, what) => {
  if (count > 0) rows.push([result, count, what]);
};

const counters = {
  vitest(report) {
    note('passed', report.numPassedTests, name);
    note('skipped', report.numPendingTests + report.numTodoTests, name);
    for (const suite of report.testResults) {
      const failed = suite.assertionResults.filter((test) => test.status === 'failed');
      for (const test of failed) note('failed', 1, `${suite.name}: ${test.fullName}`);
      if (suite.status === 'failed' && failed.length === 0) note('failed', 1, suite.name);
    }
  },
  /** One result per file: a file without code yet, or of which nothing applies, is skipped. */
  conformance(report) {
    for (const row of report.areas) {
      const result = row.failed > 0 ? 'failed' : row.run > 0 ? 'passed' : 'skipped';
      note(result, 1, `${name}: ${row.area}/${row.file}`);
    }
  },
  rehearsals(report) {
    for (const { name: ceremony, ok } of report.rehearsals) {
      note(ok ? 'passed' : 'failed', 1, `${name}: ${ceremony}`);
    }
  },
};

if (existsSync(file)) counters[kind](JSON.parse(readFileSync(file, 'utf8')));
const failed = rows.some(([result]) => result === 'failed');
if (rows.length === 0 || (status !== '0' && !failed)) note('failed', 1, name);
process.stdout.write(rows.map((row) => `${row.join('\t')}\n`).join(''));
