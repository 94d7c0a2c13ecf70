import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createApp, loadWorkflow, memoryStore, Processor, type Log, type Workflow } from 'millrace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processors, useFolder } from '../definition/support.js';

@Processor()
class Fails {
  run(): void {
    throw new Error('it broke');
  }
}

const folder = useFolder();
const lines = (onLine: (line: string) => void): { readonly log: Log; readonly said: string[] } => {
  const said: string[] = [];
  const say = (level: string) => (message: string) => {
    said.push(`${level} ${message}`);
    onLine(message);
  };
  return { said, log: { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') } };
};
const load = (files: Readonly<Record<string, string>>): Promise<Workflow> =>
  loadWorkflow(folder.write(files), { processors: [...processors, Fails] });
const runs = async (workflows: readonly Workflow[], options = {}, onLine: (line: string) => void = () => undefined) => {
  const { said, log } = lines(onLine);
  await using app = await createApp({ workflows, stores: { default: memoryStore() }, log });
  const first = workflows[0];
  if (first === undefined) throw new Error('no workflow');
  const outcome = await app
    .workflow(first)
    .run(options)
    .then(
      ({ status }) => status,
      (error: unknown) => (error as { readonly code: string }).code,
    );
  return { outcome, said: said.filter((line) => !/^\w+ (?:(?:command|Fails)(?: {2}|$)|Workflow \w+ {2}\d)/.test(line)) };
};
const idle = '  - command: { command: "true" }\n';

describe('actions on events', () => {
  interface Received {
    readonly method: string;
    readonly url: string;
    readonly type: string | undefined;
    readonly authorization: string | undefined;
    readonly body: string;
  }
  const received: Received[] = [];
  let answers: number[] = [];
  let server: Server;
  let url = '';
  beforeAll(async () => {
    const read = async (request: IncomingMessage): Promise<string> => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      return body;
    };
    server = createServer((request, response) => {
      void read(request).then((body) => {
        const { authorization, 'content-type': type } = request.headers;
        received.push({ method: request.method ?? '', url: request.url ?? '', type, authorization, body });
        const status = answers.shift() ?? 200;
        if (status === 0) return; // never answers
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook?token=abc`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('log when a run begins and ends, with facts of the run', async () => {
    const loaded = await load({
      'w.yaml': `name: w\nvariables: { who: me }\nsteps:\n${idle}events:\n  started: [ { log: "begun by {who}" } ]\n  succeeded: [ { log: { message: "{run:workflow} {run:status}{run:error}", level: warn } } ]\n  failed: { log: "never" }\n`,
    });
    expect(await runs([loaded])).toEqual({ outcome: 'succeeded', said: ['info begun by me', 'warn w succeeded'] });
    expect((await runs([loaded], { variables: { who: 'them' } })).said[0]).toBe('info begun by them');
  });

  it('say what went wrong, and nothing else', async () => {
    const loaded = await load({ 'w.yaml': 'name: w\nsteps:\n  - Fails\nevents: { failed: [ { log: "{run:error}" } ] }\n' });
    expect(await runs([loaded])).toMatchObject({ said: ["info Workflow 'w' failed in step 'Fails': Processor 'Fails' failed: it broke"] });
  });

  it('tell of failures, skipped steps and cancellations apart', async () => {
    const events =
      'events: { succeeded: [{ log: S }], failed: [{ log: "F {run:error}" }], partial: [{ log: P }], cancelled: [{ log: C }] }\n';
    expect(await runs([await load({ 'w.yaml': `name: w\nsteps:\n  - Fails\n${events}` })])).toEqual({
      outcome: 'WORKFLOW_FAILED',
      said: ["info F Workflow 'w' failed in step 'Fails': Processor 'Fails' failed: it broke"],
    });
    expect(await runs([await load({ 'w.yaml': `name: w\nsteps:\n  - Fails: { onError: skip }\n${events}` })])).toEqual({
      outcome: 'partial',
      said: ['info P'],
    });
    const cancelled = await load({ 'w.yaml': `name: w\nsteps:\n  - command: { command: sleep, args: [30] }\n${events}` });
    expect(await runs([cancelled], { signal: AbortSignal.timeout(50) })).toEqual({ outcome: 'WORKFLOW_CANCELLED', said: ['info C'] });
  });

  it('send a request, and again where the other side failed', async () => {
    received.length = 0;
    answers = [503, 200];
    const loaded = await load({
      'w.yaml': `name: w\nsteps:\n${idle}events:\n  succeeded: [ { webhook: "${url}" }, { webhook: { url: "${url}", method: PUT, body: "{run:id} is {run:status}" } } ]\n`,
    });
    expect(await runs([loaded])).toEqual({ outcome: 'succeeded', said: [] });
    const posts = received.filter(({ method }) => method === 'POST');
    const puts = received.filter(({ method }) => method === 'PUT');
    expect(posts.length + puts.length).toBe(3);
    expect(JSON.parse(posts[0]?.body ?? '')).toMatchObject({
      event: 'succeeded',
      workflow: 'w',
      status: 'succeeded',
      steps: { command: 'succeeded' },
    });
    expect(puts[0]).toMatchObject({ type: 'text/plain; charset=utf-8', body: expect.stringMatching(/^\w{24} is succeeded$/) as string });
  });

  it('never fail a run, and keep the address to themselves', async () => {
    received.length = 0;
    answers = [404, 0];
    const loaded = await load({
      'w.yaml': `name: w\nsteps:\n${idle}events:\n  succeeded:\n    - webhook: "${url}"\n    - webhook: { url: "http://127.0.0.1:1/secret", attempts: 2 }\n    - copy: { from: missing.txt, to: x }\n    - command: { command: sh, args: [-c, "echo out; exit 3"] }\n    - command: { command: sleep, args: [30], timeout: 50 }\n    - run: nothing\n`,
    });
    const { outcome, said } = await runs([loaded]);
    expect(outcome).toBe('succeeded');
    const text = said.join('\n');
    for (const piece of [
      'sh: out',
      'code 3',
      'longer than 50 ms',
      'missing.txt',
      "named 'nothing'",
      'after 2 attempts',
      'answered with 404',
    ])
      expect(text).toContain(piece);
    expect(said).toHaveLength(7);
    expect(text).not.toMatch(/token|abc|secret/);
  });

  it('send the user of an address as a header, in place of the address', async () => {
    received.length = 0;
    answers = [200];
    const address = url.replace('http://', 'http://me:s%2Fcret@');
    const loaded = await load({
      'w.yaml': `name: w\nsteps:\n${idle}events:\n  succeeded: [ { webhook: { url: "${address}", headers: { Content-Type: text/xml } } } ]\n`,
    });
    expect(await runs([loaded])).toEqual({ outcome: 'succeeded', said: [] });
    expect(received[0]).toMatchObject({ type: 'text/xml', authorization: `Basic ${Buffer.from('me:s/cret').toString('base64')}` });
  });

  it('go where they were sent, and not on from there', async () => {
    received.length = 0;
    answers = [302, 200];
    const loaded = await load({ 'w.yaml': `name: w\nsteps:\n${idle}events: { succeeded: [ { webhook: "${url}" } ] }\n` });
    const { said } = await runs([loaded]);
    expect([received.length, said.join()]).toEqual([1, expect.stringContaining('answered with 302: name the address that it leads to')]);
  });

  it('say which of a program and its folder is not there', async () => {
    const loaded = await load({
      'w.yaml': `name: w\nsteps:\n${idle}events: { succeeded: [ { command: { command: no-such-program } }, { command: { command: "true", cwd: nowhere } } ] }\n`,
    });
    const { said } = await runs([loaded]);
    expect(said).toEqual([
      expect.stringContaining("'no-such-program' is not found"),
      expect.stringMatching(/cannot run in '.*nowhere': there is no such folder/),
    ]);
  });

  it('give a request up when nobody answers', async () => {
    answers = [0, 0];
    const loaded = await load({
      'w.yaml': `name: w\nsteps:\n${idle}events:\n  succeeded: [ { webhook: { url: "${url}", timeout: 50, attempts: 2 } } ]\n`,
    });
    const { outcome, said } = await runs([loaded]);
    expect([outcome, said.join()]).toEqual(['succeeded', expect.stringContaining('no answer within 50 ms after 2 attempts')]);
  });

  it('copy and delete beside the definition', async () => {
    const path = folder.write({
      'w.yaml': `name: w\nsteps:\n  - ImportPrices: { bind: { source: [{ sku: a, amount: 1 }], rows: "file:out/rows.json" } }\nevents:\n  started: [ { delete: [old, old.txt, nothing] } ]\n  succeeded: [ { copy: { from: out/rows.json, to: kept/ } }, { copy: { from: out, to: all, overwrite: true } } ]\n`,
      'old/a.txt': 'x',
      'old.txt': 'x',
    });
    expect(await runs([await loadWorkflow(path, { processors })])).toMatchObject({ outcome: 'succeeded' });
    const at = (name: string): string => join(dirname(path), name);
    expect([existsSync(at('old')), existsSync(at('old.txt'))]).toEqual([false, false]);
    expect(JSON.parse(readFileSync(at('kept/rows.json'), 'utf8'))).toMatchObject([{ sku: 'a', amount: 1 }]);
    expect(existsSync(at('all/rows.json'))).toBe(true);
  });

  it('run another workflow with variables, and never each other for ever', async () => {
    const a = await load({
      'a.yaml': `name: a\nsteps:\n${idle}events: { succeeded: [ { run: { workflow: b, variables: { who: a } } } ] }\n`,
    });
    const b = await load({
      'b.yaml': `name: b\nvariables: { who: nobody }\nsteps:\n${idle}events: { started: [ { log: "for {who}" } ], succeeded: [ { run: a } ] }\n`,
    });
    const { outcome, said } = await runs([a, b]);
    expect(outcome).toBe('succeeded');
    expect(said).toEqual(['info for a', expect.stringContaining('workflows run each other by their actions: a -> b -> a')]);
  });

  describe('when the run is cancelled', () => {
    /** The run is cancelled when a program has said that it is up. */
    const runsUntilUp = (workflows: readonly Workflow[]): ReturnType<typeof runs> => {
      const controller = new AbortController();
      return runs(workflows, { signal: controller.signal }, (line) => {
        if (line.endsWith('up')) controller.abort(new Error('enough'));
      });
    };
    const hangs = '{ command: sh, args: [-c, "echo up; sleep 30"] }';

    it('are ended where they are done before the first step, and those that come after are not done', async () => {
      received.length = 0;
      answers = [0];
      const loaded = await load({
        'w.yaml': `name: w\nsteps:\n${idle}events:\n  started: [ { webhook: "${url}" }, { command: ${hangs} }, { log: never } ]\n  cancelled: [ { log: "{run:error}" }, { command: { command: echo, args: [last] } } ]\n`,
      });
      const { outcome, said } = await runsUntilUp([loaded]);
      expect(outcome).toBe('WORKFLOW_CANCELLED');
      expect(said.toSorted()).toEqual([
        "info Workflow 'w' was cancelled: enough",
        'info echo: last',
        'info sh: up',
        "warn Workflow w  on started: command 'sh' failed: enough",
        expect.stringMatching(/^warn Workflow w {2}on started: webhook to .* failed: enough$/),
      ]);
    });

    it('are ended where they are done after the last step, and the run has succeeded', async () => {
      const loaded = await load({
        'w.yaml': `name: w\nsteps:\n${idle}events: { succeeded: [ { command: ${hangs} } ] }\n`,
      });
      const { outcome, said } = await runsUntilUp([loaded]);
      expect([outcome, said]).toEqual(['succeeded', ['info sh: up', "warn Workflow w  on succeeded: command 'sh' failed: enough"]]);
    });

    it('are ended along with the workflows that they run', async () => {
      const a = await load({ 'a.yaml': `name: a\nsteps:\n${idle}events: { started: [ { run: b } ] }\n` });
      const b = await load({
        'b.yaml': `name: b\nsteps:\n  - command: ${hangs}\nevents: { cancelled: [ { log: "{run:status}" } ] }\n`,
      });
      const { outcome, said } = await runsUntilUp([a, b]);
      expect(outcome).toBe('WORKFLOW_CANCELLED');
      expect(said).toEqual([
        'info command: up',
        'info cancelled',
        expect.stringMatching(/on started: run of 'b' failed: Workflow 'b' was cancelled: enough/),
      ]);
    });
  });
});
