import 'reflect-metadata';
import { createApp, embeddedStore } from 'millrace';
import { CleanMovies } from './src/clean-movies.js';
import type { Genre } from './src/genre.js';
import { RankGenres } from './src/rank-genres.js';

await using app = await createApp({ processors: [CleanMovies, RankGenres], stores: { default: embeddedStore() } });

await app.task(CleanMovies).run();
await app.task(RankGenres).run();

const genres = await app
  .store()
  .find<Genre>('genres', { projection: { _id: 0 } })
  .toArray();
console.log('\nWhat each dollar of budget returned, by genre (in dollars of 2009):');
console.table(genres);

const rejects = await app.store().find<{ port: string; index: number; reasons: string[] }>('movie_rejects').toArray();
console.log(`\n${String(rejects.length)} films could not be used, for example:`);
for (const { port, index, reasons } of [...rejects.slice(0, 3), ...rejects.slice(-2)])
  console.log(`  ${port} row ${String(index)}: ${reasons.join('; ')}`);
console.log('\nAll of them: npm run --silent millrace -- data movie_rejects');
