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

// npm run bench [-- section …]
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in sections));
if (unknown.length > 0) {
  console.error(`no such section: ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}`);
  process.exit(2);
}
const table = new Table({ head: ['what', 'measured', 'to hold', ''], style: { head: [], border: [] } });
for (const [name, section] of Object.entries(sections)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  for (const { what, measured, bar, holds } of await section()) table.push([what, measured, bar, holds ? 'holds' : 'MISSED']);
}
console.log(`Node ${process.version}`);
console.log(table.toString());
