import 'reflect-metadata';
import { appendFileSync, existsSync } from 'node:fs';
import { Output, Processor, workflow, type App, type Workflow, type Writer } from '../../../src/index.js';

/** A step that takes its time and notes in a file that it ran; it fails, or hangs, where there is a file beside it that says so. */
function slowWorkflow(trace: string): Workflow {
  @Processor()
  class Slow {
    @Output({ binding: 'slow' }) readonly to!: Writer<{ pid: number }>;
    async run(): Promise<void> {
      appendFileSync(trace, 'ran\n');
      if (existsSync(`${trace}.fail`)) throw new Error('it is to be gone on with');
      await new Promise((resolve) => setTimeout(resolve, existsSync(`${trace}.hang`) ? 60_000 : 400));
      await this.to.write({ pid: process.pid });
    }
  }
  return workflow('slow', (w) => void w.step(Slow));
}

export const runSlow = (app: App, trace: string): Promise<string> => outcome(app.workflow(slowWorkflow(trace)).run());
export const resumeSlow = (app: App, trace: string): Promise<string> => outcome(app.workflow(slowWorkflow(trace)).resume());

async function outcome(run: Promise<{ readonly status: string }>): Promise<string> {
  try {
    return (await run).status;
  } catch (error) {
    return `${(error as { readonly code: string }).code} ${(error as Error).message}`;
  }
}
