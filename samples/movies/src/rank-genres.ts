import { Input, Output, Processor, type Reader, type Writer } from 'millrace';
import { Genre } from './genre.js';
import { Movie } from './movie.js';

interface Sums {
  films: number;
  budget: number;
  gross: number;
  rated: number;
  ratings: number;
  best: { readonly title: string; readonly returned: number };
}

@Processor({ title: 'Rank genres', description: 'What the films of each genre returned on their budgets, best first.' })
export class RankGenres {
  @Input({ title: 'Films', schema: Movie, binding: 'movies', readOnly: true })
  readonly movies!: Reader<Movie>;

  @Output({ title: 'Genres', schema: Genre, binding: 'genres' })
  readonly genres!: Writer<Genre>;

  async run(): Promise<void> {
    const genres = new Map<string, Sums>();
    for await (const batch of this.movies.batches()) for (const movie of batch) add(genres, movie);
    const ranked = [...genres].map(([genre, sums]) => toGenre(genre, sums)).sort((a, b) => b.returned - a.returned);
    await this.genres.write(ranked);
  }
}

function add(genres: Map<string, Sums>, { title, genre, budget, gross, rating }: Movie): void {
  const sums = genres.get(genre) ?? { films: 0, budget: 0, gross: 0, rated: 0, ratings: 0, best: { title: '', returned: -1 } };
  genres.set(genre, sums);
  sums.films++;
  if (rating !== undefined) {
    sums.rated++;
    sums.ratings += rating;
  }
  if (budget === undefined || gross === undefined) return;
  sums.budget += budget;
  sums.gross += gross;
  // a very small budget returns anything: the best is looked for among films that cost a million or more
  if (budget >= 1 && gross / budget > sums.best.returned) sums.best = { title, returned: gross / budget };
}

function toGenre(genre: string, { films, budget, gross, rated, ratings, best }: Sums): Genre {
  return {
    genre,
    films,
    returned: round(budget === 0 ? 0 : gross / budget),
    rating: round(rated === 0 ? 0 : ratings / rated),
    best: best.title,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
