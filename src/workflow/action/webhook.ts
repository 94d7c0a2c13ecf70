import { setTimeout as delay } from 'node:timers/promises';
import type { Action, RunFacts } from './action.js';
import { withLimit } from './limit.js';

export interface WebhookOptions {
  /** A user and a password in it are sent as a header. */
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, text as it is; default the facts of the run. */
  readonly body?: unknown;
  /** Milliseconds for one attempt; default 10,000. */
  readonly timeout?: number;
  /** The first included; default 3. */
  readonly attempts?: number;
}

/** Milliseconds before the second attempt; each further one waits twice as long. */
const firstDelay = 200;

/** Sends a request, and again where the other side is not there or says that it is its own fault. */
export function webhookAction(options: WebhookOptions): Action {
  const { attempts = 3 } = options;
  return {
    name: `webhook to ${originOf(options.url)}`, // its path, like its query, may be a secret
    beside: true,
    async perform({ facts, signal }) {
      for (let attempt = 1; ; attempt++) {
        const problem = await send(options, facts, signal);
        if (problem === undefined) return;
        if (!problem.again || attempt >= attempts)
          throw new Error(`${problem.message}${attempt > 1 ? ` after ${String(attempt)} attempts` : ''}`);
        await delay(firstDelay * 2 ** (attempt - 1), undefined, { signal });
      }
    },
  };
}

/** What is wrong with the address of a webhook, if anything. */
export function refuseUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return 'is no URL';
  return ['http:', 'https:'].includes(new URL(url).protocol) ? undefined : 'is neither http nor https';
}

/** Whether a header can be sent. */
export function isHeader(name: string, value: string): boolean {
  try {
    new Headers([[name, value]]);
    return true;
  } catch {
    return false; // which says no more than that, and may show a secret
  }
}

async function send(
  options: WebhookOptions,
  facts: RunFacts,
  signal: AbortSignal,
): Promise<{ readonly message: string; readonly again: boolean } | undefined> {
  const { timeout = 10_000 } = options;
  let limited = signal;
  let status: number;
  try {
    status = await withLimit(signal, timeout, (inner) => request(options, facts, (limited = inner)));
  } catch (error) {
    signal.throwIfAborted();
    return { message: limited.aborted ? `no answer within ${String(timeout)} ms` : reasonOf(error), again: true };
  }
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400)
    return { message: `it was answered with ${String(status)}: name the address that it leads to`, again: false };
  return { message: `it was answered with ${String(status)}`, again: status >= 500 || status === 429 || status === 408 };
}

/** Answers the status of the answer. */
async function request(
  { url, method = 'POST', headers = {}, body }: WebhookOptions,
  facts: RunFacts,
  signal: AbortSignal,
): Promise<number> {
  const content = method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body ?? facts) };
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  const { address, authorization } = withoutUser(url);
  const sent = new Headers({ 'content-type': type, ...authorization });
  for (const [name, value] of Object.entries(headers)) sent.set(name, value); // in whatever case it is written
  const response = await fetch(address, {
    method,
    headers: sent,
    signal,
    redirect: 'manual', // what is sent is for the address that was named, and a GET is not what was asked for
    ...content,
  });
  await response.body?.cancel();
  return response.status;
}

/** `fetch` takes no user in an address. */
function withoutUser(url: string): { readonly address: URL; readonly authorization: Readonly<Record<string, string>> } {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { address, authorization: {} };
  address.username = address.password = '';
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { address, authorization: { authorization: `Basic ${Buffer.from(plain).toString('base64')}` } };
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'no URL';
}

/** `fetch failed` alone says nothing. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error
    ? `${message}: ${cause.message === '' ? ((cause as NodeJS.ErrnoException).code ?? cause.name) : cause.message}`
    : message;
}
