import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a store and its server, and does what networks do. */
export class Proxy implements AsyncDisposable {
  readonly #to: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | undefined;
  #port = 0;
  #stalled = false;
  /** What clients have said since it was emptied last, as bytes. */
  heard = '';

  constructor(uri: string) {
    const { hostname, port } = new URL(uri.replace(/^mongodb:/, 'http:'));
    this.#to = { host: hostname, port: Number(port === '' ? 27017 : port) };
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((client) => this.#join(client));
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Ends every connection; with `reset`, as a host that has crashed. */
  cut(reset = false): void {
    for (const socket of [...this.#pairs].flat()) {
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  /** Nothing goes through, and nobody is told. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  resume(): void {
    this.#stalled = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** New connections are refused, and the others end. */
  async leave(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  #join(client: Socket): void {
    const server = connect(this.#to);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    client.on('data', (bytes) => (this.heard += bytes.toString('latin1')));
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => undefined); // its end follows
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#stalled) from.pause();
    }
  }
}
