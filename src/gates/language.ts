/**
 * What the placeholder gate has to know of a language: where comments begin and end, and what delimits strings. By
 * file name, because only the added lines of a file are known.
 */

/** How the bodies of functions are written, for the empty ones. */
export type Stubs = 'python' | 'script' | 'go' | 'rust' | 'typed' | 'c' | 'ruby' | 'shell' | 'fun' | 'none';

export interface Syntax {
  /** Begin a comment that goes to the end of the line. */
  readonly line: readonly string[];
  /** A line comment begins only at the start of a line or after a space (`#` in shells, YAML). */
  readonly lineAfterSpace: boolean;
  readonly block: readonly (readonly [open: string, close: string])[];
  /** Delimiters of strings within one line. */
  readonly quotes: string;
  /** Delimiters of strings that go over lines. Those of `prose` hold documentation as often as data. */
  readonly longQuotes: readonly string[];
  readonly prose: boolean;
  readonly stubs: Stubs;
}

export type Language =
  | { readonly kind: 'code'; readonly name: string; readonly syntax: Syntax }
  /** For people: a marker counts only where it is plainly meant as one. */
  | { readonly kind: 'prose' }
  /** Texts and data, where every word may be content. */
  | { readonly kind: 'data' }
  /** Generated or made of data alone: not looked at. */
  | { readonly kind: 'skip' }
  | { readonly kind: 'unknown' };

/** The language of a path, by its name and extension, in any case. */
export function languageOf(path: string): Language {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : '';
  return (
    (SKIPPED_NAMES.has(name) ? SKIP : undefined) ??
    BY_NAME.get(name) ??
    BY_EXTENSION.get(extension) ??
    UNKNOWN
  );
}

const UNKNOWN: Language = { kind: 'unknown' };
const SKIP: Language = { kind: 'skip' };

const C_BLOCK = [['/*', '*/']] as const;
const BASE: Syntax = {
  line: [],
  lineAfterSpace: false,
  block: [],
  quotes: '"\'',
  longQuotes: [],
  prose: false,
  stubs: 'none',
};
const SLASHES: Syntax = { ...BASE, line: ['//'], block: C_BLOCK };
const HASH: Syntax = { ...BASE, line: ['#'], lineAfterSpace: true };
const MARKUP: Syntax = { ...BASE, block: [['<!--', '-->']], quotes: '"' };

const SYNTAXES: readonly (readonly [extensions: string, syntax: Syntax])[] = [
  ['js jsx mjs cjs ts tsx mts cts', { ...SLASHES, longQuotes: ['`'], stubs: 'script' }],
  [
    'vue svelte astro',
    {
      ...SLASHES,
      lineAfterSpace: true,
      block: [...C_BLOCK, ['<!--', '-->']],
      longQuotes: ['`'],
      stubs: 'script',
    },
  ],
  ['java cs groovy gradle', { ...SLASHES, longQuotes: ['"""'], stubs: 'typed' }],
  ['kt kts swift scala sc', { ...SLASHES, longQuotes: ['"""'], stubs: 'fun' }],
  ['dart', { ...SLASHES, longQuotes: ['"""', "'''"], stubs: 'typed' }],
  ['go', { ...SLASHES, longQuotes: ['`'], stubs: 'go' }],
  ['rs', { ...SLASHES, stubs: 'rust' }],
  ['c h cc cpp cxx hh hpp hxx m mm cu', { ...SLASHES, stubs: 'c' }],
  ['proto zig sol glsl hlsl wgsl v sv jsonc json5 prisma graphqls', SLASHES],
  ['php', { ...SLASHES, line: ['//', '#'], stubs: 'script' }],
  ['scss less sass styl', SLASHES],
  ['css', { ...BASE, block: C_BLOCK }],
  [
    'py pyi pyx',
    { ...HASH, lineAfterSpace: false, longQuotes: ['"""', "'''"], prose: true, stubs: 'python' },
  ],
  ['rb rake gemspec cr', { ...HASH, stubs: 'ruby' }],
  ['sh bash zsh ksh fish', { ...HASH, stubs: 'shell' }],
  ['jl ex exs', { ...HASH, longQuotes: ['"""'], prose: true }],
  ['yml yaml toml pl pm r nim cmake tf hcl tcl awk mk conf cfg env nix graphql gql bzl just', HASH],
  ['ps1 psm1', { ...HASH, block: [['<#', '#>']] }],
  ['ini', { ...HASH, line: ['#', ';'] }],
  ['properties', HASH],
  ['sql', { ...BASE, line: ['--'], block: C_BLOCK, quotes: "'" }],
  ['lua', { ...BASE, line: ['--'], block: [['--[[', ']]']] }],
  ['hs elm purs', { ...BASE, line: ['--'], lineAfterSpace: true, block: [['{-', '-}']], quotes: '"' }],
  ['ml mli fs fsx', { ...BASE, line: ['//'], block: [['(*', '*)']], quotes: '"' }],
  ['clj cljs cljc edn el lisp scm rkt asm s', { ...BASE, line: [';'], quotes: '"' }],
  ['tex sty erl hrl', { ...BASE, line: ['%'], quotes: '"' }],
  ['vim', { ...BASE, line: ['"'], lineAfterSpace: true, quotes: "'" }],
  ['bat cmd', { ...BASE, line: ['::', 'REM ', 'rem '], lineAfterSpace: true, quotes: '"' }],
  ['html htm xhtml xml xsl jinja j2 hbs ejs erb', MARKUP],
];

const NAMES: readonly (readonly [names: string, like: string])[] = [
  [
    'makefile gnumakefile dockerfile containerfile justfile .gitignore .dockerignore .env .editorconfig cmakelists.txt',
    'yaml',
  ],
  ['.bashrc .profile .zshrc', 'sh'],
  ['rakefile gemfile vagrantfile podfile', 'rb'],
  ['jenkinsfile', 'groovy'],
];

const OTHERS: readonly (readonly [extensions: string, language: Language])[] = [
  ['md markdown mdx rst adoc txt text org', { kind: 'prose' }],
  ['json arb po pot strings xlf xliff resx webmanifest geojson ipynb', { kind: 'data' }],
  [
    'lock svg csv tsv snap map pem crt pub asc patch diff sum png jpg jpeg gif webp ico pdf woff woff2 ttf otf eot zip gz tgz jar wasm so dylib dll exe class pyc mp3 mp4 webm',
    SKIP,
  ],
];

/** Lockfiles that carry the extension of another language. */
const SKIPPED_NAMES = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'composer.lock',
  'go.sum',
]);

const BY_EXTENSION = new Map<string, Language>([
  ...SYNTAXES.flatMap(([extensions, syntax]) =>
    extensions.split(' ').map((name): [string, Language] => [name, { kind: 'code', name, syntax }]),
  ),
  ...OTHERS.flatMap(([extensions, language]) =>
    extensions.split(' ').map((name): [string, Language] => [name, language]),
  ),
]);
const BY_NAME = new Map<string, Language>(
  NAMES.flatMap(([names, like]) =>
    names.split(' ').map((name): [string, Language] => [name, BY_EXTENSION.get(like) ?? UNKNOWN]),
  ),
);
