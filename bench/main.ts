import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { load } from './load.js';
import type { Line } from './measure.js';
import { memory } from './memory.js';
import { mongo } from './mongo.js';
import { rows, validation } from './rows.js';
import { scope } from './scope.js';
import { store } from './store.js';
import { task } from './task.js';
import { workflows } from './workflow.js';

const sections: Readonly<Record<string, () => Line[] | Promise<Line[]>>> = {
  task,
  workflow: workflows,
  scope,
  rows,
  validation,
  store,
  mongo,
  memory,
  load,
};

// npm run bench [-- section …]; a section alone is measured by main.js --only SECTION, which prints its lines as JSON
const [first, only = ''] = process.argv.slice(2);
if (first === '--only') {
  process.stdout.write(JSON.stringify(await sections[only]?.()));
  process.exit(0);
}
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in sections));
if (unknown.length > 0) {
  console.error(`no such section: ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}`);
  process.exit(2);
}
const table = new Table({ head: ['what', 'measured', 'to hold', ''], style: { head: [], border: [] } });
for (const name of Object.keys(sections)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  for (const { what, measured, bar, holds } of linesOf(name)) table.push([what, measured, bar, holds ? 'holds' : 'MISSED']);
}
console.log(`Node ${process.version}`);
console.log(table.toString());

/** In a process of its own: what one section leaves behind, rows and compiled code, is no burden of the next. */
function linesOf(section: string): readonly Line[] {
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--only', section], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) process.exit(1);
  return JSON.parse(stdout) as Line[];
}
