/** Rooms of the house as plain JavaScript for child processes, which have no compiler: always from today's sources. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { root } from './require.js';

/** A temporary folder in which a script can import `#room/file` of the given rooms, or of parts of them; the caller removes it. */
export function compiled(rooms: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-compiled-'));
  const imports = Object.fromEntries(rooms.map((room) => [`#${room}/*`, `./${room}/*.js`]));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const room of rooms) {
    for (const name of readdirSync(join(root, 'src', room), { recursive: true }) as string[]) {
      if (!name.endsWith('.ts')) continue;
      const source = readFileSync(join(root, 'src', room, name), 'utf8');
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
        },
      });
      const out = join(folder, room, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(out), { recursive: true });
      writeFileSync(out, outputText);
    }
  }
  return folder;
}
