#!/usr/bin/env node
import { Interrupts } from './interrupt.js';
import { Output } from './output.js';
import { runCli } from './program.js';

const err = new Output(process.stderr);
const interrupts = new Interrupts(err, (code) => process.exit(code));
const out = new Output(process.stdout, process.env, (error) => interrupts.failToWrite(error));

process.on('SIGINT', () => interrupts.raise());
process.on('SIGTERM', () => interrupts.raise());
// What user code threw where nobody waits for it: the run under way is cancelled, and everything closed, as for Ctrl-C.
process.on('uncaughtException', (error) => interrupts.fail(error));

const code = await runCli(process.argv.slice(2), { out, err, interrupts, cwd: process.cwd() });
await Promise.all([out.flush(), err.flush()]);
// Not by running out of work: a timer or socket that user code left open must not keep the command from ending.
process.exit(interrupts.code ?? code);
