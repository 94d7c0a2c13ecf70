import 'reflect-metadata';
import { memoryStore } from 'millrace';
import { createTestApp, runProcessor } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { CleanMovies } from './src/clean-movies.js';
import type { Genre } from './src/genre.js';
import type { Movie } from './src/movie.js';
import { PriceIndex, priceIndex } from './src/price-index.js';
import { RankGenres } from './src/rank-genres.js';

const released = new Date('2000-06-12T00:00:00Z');

describe('CleanMovies', () => {
  it('gives dates their type and amounts in dollars of the base year', async () => {
    const { outputs, result } = await runProcessor(CleanMovies, {
      params: { baseYear: 2009 },
      inputs: {
        raw: [
          {
            Title: 'Dear',
            'Release Date': 'Jun 12 2000',
            'Major Genre': 'Drama',
            'Production Budget': 4_000_000,
            'Worldwide Gross': 6_000_000,
            'IMDB Rating': 7.5,
          },
          { Title: 'Unknown', 'Release Date': 'Jun 12 2000', 'Production Budget': 0, 'IMDB Rating': null },
        ],
      },
      depends: [[priceIndex, new PriceIndex({ 2000: 50, 2009: 100 })]],
    });
    expect(outputs.movies).toEqual([
      { title: 'Dear', released, genre: 'Drama', budget: 8, gross: 12, rating: 7.5 },
      { title: 'Unknown', released, genre: 'Unknown' },
    ]);
    expect(result.metrics).toEqual({ 'films without a known budget': 1 });
  });

  it('keeps what it cannot use, with the reasons', async () => {
    const { outputs, rejects } = await runProcessor(CleanMovies, {
      inputs: {
        raw: [
          { Title: 1776 as unknown as string, 'Release Date': 'Jun 12 2000' },
          { Title: 'Too Late', 'Release Date': 'Jun 12 2046' },
        ],
      },
      depends: [[priceIndex, new PriceIndex({})]],
    });
    expect(outputs.movies).toEqual([]);
    expect(rejects['raw']).toEqual([
      { row: { Title: 1776, 'Release Date': 'Jun 12 2000' }, reasons: [expect.stringContaining('Title must be a string')] },
    ]);
    expect(rejects['movies']?.[0]?.reasons).toEqual([expect.stringContaining('released')]);
  });
});

describe('RankGenres', () => {
  it('ranks genres by what they returned on their budgets', async () => {
    const movie = (title: string, genre: string, budget: number, gross: number): Movie => ({
      title,
      released,
      genre,
      budget,
      gross,
      rating: 6,
    });
    const { outputs } = await runProcessor(RankGenres, {
      inputs: { movies: [movie('Low', 'Western', 10, 5), movie('High', 'Horror', 2, 20), movie('Mid', 'Horror', 10, 20)] },
    });
    expect(outputs.genres).toEqual([
      { genre: 'Horror', films: 2, returned: 3.33, rating: 6, best: 'High' },
      { genre: 'Western', films: 1, returned: 0.5, rating: 6, best: 'Low' },
    ]);
  });
});

describe('movies', () => {
  it('turns the whole file into films, genres and rejects, each film in one place', async () => {
    await using app = await createTestApp({ processors: [CleanMovies, RankGenres], stores: { default: memoryStore() } });
    const cleaned = await app.task(CleanMovies).run();
    await app.task(RankGenres).run();
    const [films, rejects] = await Promise.all([app.store().count('movies'), app.store().count('movie_rejects')]);
    expect(cleaned.inputs['raw']?.rows).toBe(3201);
    expect(films + rejects).toBe(3201);
    expect(rejects).toBeGreaterThan(10);
    const genres = await app.store().find<Genre>('genres').toArray();
    expect(genres.map(({ films: count }) => count).reduce((sum, count) => sum + count)).toBe(films);
  });
});
