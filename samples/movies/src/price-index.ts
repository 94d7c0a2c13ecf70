import { readFile } from 'node:fs/promises';
import { resource } from 'millrace';

/** Consumer prices by year, to compare amounts of different years. */
export class PriceIndex {
  readonly #index: Readonly<Record<string, number>>;

  constructor(index: Readonly<Record<string, number>>) {
    this.#index = index;
  }

  /** What one dollar of `year` is in dollars of `base`; undefined for a year that the table lacks. */
  factor(year: number, base: number): number | undefined {
    const [from, to] = [this.#index[year], this.#index[base]];
    return from === undefined || to === undefined ? undefined : to / from;
  }
}

/** The consumer price index of the United States (CPI-U, annual averages, 1982-84 = 100; US Bureau of Labor Statistics, public domain). */
export const priceIndex = resource(async function loadPriceIndex(): Promise<PriceIndex> {
  const text = await readFile(new URL('../data/price-index.json', import.meta.url), 'utf8');
  return new PriceIndex(JSON.parse(text) as Record<string, number>);
});
