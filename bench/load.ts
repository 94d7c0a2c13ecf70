import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Line } from './measure.js';

/** What an import and the CLI's help cost over a bare `node -e 0`, in processes of their own. */
export function load(): Line[] {
  const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const commands = {
    bare: ['-e', '0'],
    import: ['--input-type=module', '-e', "import 'millrace'"],
    help: [cli, '--help'],
  };
  const least = { bare: Infinity, import: Infinity, help: Infinity };
  for (let round = 0; round < 15; round++) {
    for (const [name, args] of Object.entries(commands) as [keyof typeof commands, string[]][]) {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      least[name] = Math.min(least[name], performance.now() - start);
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
    }
  }
  const line = (what: string, ms: number): Line => ({ what, measured: `${ms.toFixed(0)} ms`, bar: '≤ 60 ms', holds: ms <= 60 });
  return [
    line("import 'millrace', over bare node", least.import - least.bare),
    line('millrace --help, over bare node', least.help - least.bare),
  ];
}
