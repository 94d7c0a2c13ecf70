/** Gives a body a signal that is aborted along with another one, and when its time is up. */
export async function withLimit<T>(outer: AbortSignal, timeout: number, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const follow = (): void => {
    controller.abort(outer.reason);
  };
  if (outer.aborted) follow();
  else outer.addEventListener('abort', follow, { once: true });
  const timer = setTimeout(() => {
    controller.abort(new Error(`it took longer than ${String(timeout)} ms`));
  }, timeout);
  try {
    return await body(controller.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', follow);
  }
}
