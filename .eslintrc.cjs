// ESLint 10 flat configuration under the classic name: run as `eslint -c .eslintrc.cjs .` (editors: `overrideConfigFile`, see .vscode/settings.json).
const { defineConfig } = require('eslint/config');
const tseslint = require('typescript-eslint');

const TYPED = ['**/*.ts'];
const TESTS = ['test/**/*.ts', 'samples/**/*.test.ts'];

module.exports = defineConfig(
  { ignores: ['dist/', 'coverage/', 'test/types/cases/', 'samples/*/data/', '.millrace/', '.bench/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  {
    files: TYPED,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-cond-assign': 'error',
      'no-console': 'error',
      'no-constant-binary-expression': 'error',
      'no-control-regex': 'error',
      'no-empty': 'error',
      'no-fallthrough': 'error',
      'no-unsafe-finally': 'error',
      'no-useless-catch': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name: a name can be found, and renamed everywhere at once.' },
        { selector: 'TSEnumDeclaration', message: 'Write an `as const` object and a type of the same name.' },
        { selector: 'ExportAllDeclaration[exported=null]', message: 'List public names one by one.' },
      ],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', caughtErrorsIgnorePattern: '^_' },
      ],
      // What follows is tuned where the preset makes noise and finds nothing.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `return refuse(…)` ends a function of no value as well as a line of its own.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // An `async` method without `await` keeps its interface's promise, and turns a throw into a rejection.
      '@typescript-eslint/require-await': 'off',
      // `while (true)` is how a pump reads best.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      // Decorated classes carry data by design, and a class of static members only is caught in review.
      '@typescript-eslint/no-extraneous-class': 'off',
      // A schema class says what a plain object looks like: rows are never its instances.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // What a context, a log or a reader offers may be taken apart: `run({ log, progress })`.
      '@typescript-eslint/unbound-method': 'off',
      // A string is spread on purpose where characters are counted.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // `noUncheckedIndexedAccess` asks for `!` after an index that was just computed: review judges whether a check reads as well.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
    },
  },
  {
    // What a user writes: the console is theirs, and a config file is exported as the CLI wants it.
    files: ['samples/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/millrace.config.ts', '*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Tests make mistakes on purpose, build odd values, and declare classes only for their decorators.
    files: TESTS,
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.cjs', '**/*.mjs'],
    rules: { eqeqeq: ['error', 'always'], 'no-var': 'error', 'prefer-const': 'error' },
  },
);
