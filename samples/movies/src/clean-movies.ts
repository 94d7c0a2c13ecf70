import { IsInt } from 'class-validator';
import { Depends, Input, Output, Params, Processor, Scope, type Reader, type TaskContext, type Writer } from 'millrace';
import { Movie } from './movie.js';
import { priceIndex, type PriceIndex } from './price-index.js';
import { RawMovie } from './raw-movie.js';

export class CleanMoviesParams {
  /** Amounts are given in dollars of this year. */
  @IsInt()
  baseYear = 2009;
}

@Processor({
  title: 'Clean movies',
  description: 'Films with typed dates and amounts in dollars of one year; what cannot be mended is kept with its reasons.',
})
export class CleanMovies {
  @Params({ schema: CleanMoviesParams })
  readonly params!: CleanMoviesParams;

  @Input({
    title: 'Films as published',
    schema: RawMovie,
    binding: 'file:node_modules/vega-datasets/data/movies.json',
    onInvalid: 'reject',
    rejects: 'movie_rejects',
  })
  readonly raw!: Reader<RawMovie>;

  @Output({ title: 'Films', schema: Movie, binding: 'movies', onInvalid: 'reject', rejects: 'movie_rejects' })
  readonly movies!: Writer<Movie>;

  @Depends(Scope.Worker, priceIndex)
  readonly prices!: PriceIndex;

  async run({ metric }: TaskContext): Promise<void> {
    let unpriced = 0;
    for await (const batch of this.raw.batches()) {
      const movies = batch.map((raw) => this.#clean(raw));
      unpriced += movies.filter(({ budget }) => budget === undefined).length;
      await this.movies.write(movies);
    }
    metric('films without a known budget', unpriced);
  }

  #clean(raw: RawMovie): Movie {
    const released = new Date(`${raw['Release Date']} UTC`);
    const factor = this.prices.factor(released.getUTCFullYear(), this.params.baseYear);
    const amount = (dollars: number | null | undefined): number | undefined =>
      factor === undefined || !dollars ? undefined : Math.round((dollars * factor) / 1e4) / 100;
    const [budget, gross] = [amount(raw['Production Budget']), amount(raw['Worldwide Gross'])];
    return {
      title: raw.Title,
      released,
      genre: raw['Major Genre'] ?? 'Unknown',
      ...(raw.Director ? { director: raw.Director } : {}),
      ...(budget ? { budget } : {}),
      ...(gross === undefined ? {} : { gross }),
      ...(raw['IMDB Rating'] == null ? {} : { rating: raw['IMDB Rating'] }),
    };
  }
}
