#!/usr/bin/env node
// The launcher. It answers --version itself and otherwise loads the program.
import { readFileSync } from 'node:fs';

const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
} else {
  const { main } = await load();
  process.exitCode = await main(argv);
}

async function load() {
  try {
    return await import('../dist/program/main.js');
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write(`conclave: the program is not built or not whole (${error.message})\n`);
    process.stderr.write('hint: npm ci && npm run build\n');
    process.exit(69);
  }
}
