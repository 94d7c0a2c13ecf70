import type { Peer } from './store.js';

/** Opens a store by its URL; undefined where it is gone. It rejects where it cannot be reached from here, and may be another time. */
export type OpenPeer = (url: string) => Promise<(Peer & AsyncDisposable) | undefined>;

/** How the stores that this process uses are opened: their URLs do not say, having no credentials. */
const known = new Map<string, OpenPeer>();

/** Lets other stores of this process reach one by its URL. */
export function announcePeer(url: string, open: OpenPeer): void {
  known.set(url, open);
}

/** Opens a store that was announced. */
export const openKnownPeer: OpenPeer = async (url) => {
  const open = known.get(url);
  if (open === undefined) throw new Error(`store ${url} is not among those that this process uses`);
  return open(url);
};

/** A store that is gone has nothing left to ask or to publish; one that cannot be reached may come back. */
export async function withPeer(
  url: string,
  openPeer: OpenPeer,
  ask: (peer: Peer) => Promise<void>,
): Promise<'asked' | 'gone' | 'unreachable'> {
  let peer: (Peer & AsyncDisposable) | undefined;
  try {
    peer = await openPeer(url);
    if (!peer) return 'gone';
    await ask(peer);
    return 'asked';
  } catch {
    return 'unreachable';
  } finally {
    await peer?.[Symbol.asyncDispose]();
  }
}
