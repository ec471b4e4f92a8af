/**
 * The built program, with passphrase seals of the lowest cost that is still read: a rehearsal of many people spends nine tenths
 * of its time on seals otherwise. Some rehearsals run the launcher itself, with seals as people get them.
 */
import { main } from '../dist/program/main.js';

process.exitCode = await main(process.argv.slice(2), { scryptLogN: 10 });
