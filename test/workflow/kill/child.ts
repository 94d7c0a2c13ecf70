// Runs a drawn workflow on an embedded store until it is killed, or goes on with it: run FOLDER SEED, or resume FOLDER:SEED …
import { createApp, embeddedStore } from '../../../src/index.js';
import { drawSteps, drawWorkflow } from './drawn.js';

const [mode, ...args] = process.argv.slice(2);
if (mode === 'run') {
  const [folder = '', seed = '0'] = args;
  await using app = await createApp({ stores: { default: embeddedStore({ path: folder }) }, log: 'silent' });
  await app.store().collections(); // opened: what is killed is the run
  process.stdout.write('ready\n');
  await app.workflow(drawWorkflow(drawSteps(Number(seed)))).run({ concurrency: 2 });
  process.stdout.write('done\n');
} else {
  for (const arg of args) {
    const at = arg.lastIndexOf(':');
    await using app = await createApp({ stores: { default: embeddedStore({ path: arg.slice(0, at) }) }, log: 'silent' });
    const task = app.workflow(drawWorkflow(drawSteps(Number(arg.slice(at + 1)))));
    const before = await app.store().find('_millrace_unfinished').toArray();
    const published: string[] = await app.store().collections();
    const spooled: string[] = [];
    for (const { spools } of before as { spools: string[] }[])
      for (const spool of spools) if ((await app.store().count(spool)) > 0) spooled.push(spool);
    const steps = before.length === 0 ? await task.run() : await task.resume();
    const left = [];
    for (const spool of spooled) if ((await app.store().count(spool)) > 0) left.push(spool);
    const rows: Record<string, number[]> = {};
    for (const name of await app.store().collections())
      rows[name] = (await app.store().find<{ n: number }>(name).toArray()).map(({ n }) => n).sort((a, b) => a - b);
    const executed = Object.entries(steps.steps).flatMap(([name, { status }]) => (status === 'succeeded' ? [name] : []));
    process.stdout.write(`${JSON.stringify({ published, spooled, executed, rows, left, resumed: before.length > 0 })}\n`);
  }
}
