// Goes on with the slow workflow that failed on the store at URL, when it is told to: URL TRACE.
import { once } from 'node:events';
import { createApp, openStore, type Store } from '../../../src/index.js';
import { resumeSlow } from './slow.js';

/** A store that takes its time to write: who looks at the same instant sees the same. */
function onSlowLine(store: Store): Store {
  const insert: Store['insert'] = async (collection, rows) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return store.insert(collection, rows);
  };
  return new Proxy(store, {
    get(_, key) {
      const value: unknown = key === 'insert' ? insert : Reflect.get(store, key, store);
      return typeof value === 'function' ? (value.bind(store) as unknown) : value;
    },
  });
}

const [url = '', trace = ''] = process.argv.slice(2);
await using app = await createApp({ stores: { default: onSlowLine(openStore(url)) }, log: 'silent' });
await app.store().collections(); // opened: what is raced for is the run
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdout.write(`${await resumeSlow(app, trace)}\n`);
process.stdin.destroy();
