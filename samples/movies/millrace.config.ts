import { defineProject } from 'millrace';
import { CleanMovies } from './src/clean-movies.js';
import { RankGenres } from './src/rank-genres.js';

export default defineProject({
  name: 'movies',
  title: 'Movies',
  description: 'A real, dirty file cleaned and ranked.',
  processors: [CleanMovies, RankGenres],
});
