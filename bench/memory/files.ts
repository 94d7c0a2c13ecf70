import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createApp, embeddedStore } from 'millrace';
import { CopyChecked, sales } from '../fixtures.js';

const count = Number(process.argv[2]);
const folder = await mkdtemp(join(tmpdir(), 'millrace-memory-'));
const [from, to] = [join(folder, 'from.csv'), join(folder, 'to.ndjson')];
try {
  await pipeline(Readable.from(lines()), createWriteStream(from));
  await using app = await createApp({ stores: { default: embeddedStore({ path: join(folder, 'data') }) }, log: 'silent' });
  await app
    .task(CopyChecked)
    .bind({ from: `file:${from}`, to: 'sales' })
    .run();
  await app
    .task(CopyChecked)
    .bind({ from: 'sales', to: `file:${to}` })
    .run();
  const stored = await app.store().count('sales');
  if (stored !== count || (await stat(to)).size < count) throw new Error(`${String(stored)} of ${String(count)} rows arrived`);
} finally {
  await rm(folder, { recursive: true });
}

function* lines(): Generator<string> {
  yield 'id,product,price\n';
  let text = '';
  for (const { id, product, price } of sales(count)) {
    text += `${String(id)},${product},${String(price)}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}
