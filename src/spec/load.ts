/**
 * EFFECTFUL: the one file of this room that touches the disk. It reads a home's files and hands their text to the pure
 * parsers; it changes nothing. Problems are values here too: a missing or unreadable file is one among the others.
 */
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { builtinExecutors } from '../executors/builtin.ts';
import type { ErrorCode } from '../model/codes/index.ts';
import type { Problem } from '../model/error.ts';
import { isName, type ProjectName, projectName } from '../model/ids.ts';
import type { NodeConfig, ProjectConfig, TaskSpec } from '../model/spec.ts';
import { fingerprintIn, planFingerprint } from '../plan/fingerprint.ts';
import { checkProject } from './check-project.ts';
import { decodeText } from './decode.ts';
import { MAX_SPEC_BYTES } from './front-matter.ts';
import { nearest } from './nearest.ts';
import { type ParsedAlerts, parseAlerts } from './parse-alerts.ts';
import { parseNodes } from './nodes.ts';
import { type Executors, type ParsedExecutors, parseExecutors } from './parse-executors.ts';
import { type ParsedHome, parseHome } from './parse-home.ts';
import { type ParsedProject, parseProject } from './parse-project.ts';
import { type ParsedSpec, parseSpec } from './parse-spec.ts';
import { sortProblems } from './problem.ts';

export interface LoadedHome {
  readonly nodes: readonly NodeConfig[];
  readonly problems: readonly Problem[];
}

export interface LoadedProject {
  /** null: project.yaml is missing or has errors. */
  readonly config: ProjectConfig | null;
  /** The specs without errors, by file name. */
  readonly specs: readonly { readonly spec: TaskSpec; readonly text: string }[];
  /** By file and place; errors and warnings. */
  readonly problems: readonly Problem[];
}

export interface LoadOptions {
  /** Files of the commit that tasks start from; null or absent: not known, so paths are not held against them. */
  readonly basePaths?: ReadonlySet<string> | null;
  /** Executors that need no definition; those of dispatch and of executors.yaml when absent. */
  readonly builtin?: Executors;
}

/** nodes.json, executors.yaml, dispatch.yaml and alerts.yaml of a home. */
export async function loadHome(home: string): Promise<LoadedHome> {
  const [{ nodes, problems }, executors, config, alerts] = await Promise.all([
    loadNodes(home),
    loadExecutors(home),
    loadHomeConfig(home),
    loadAlerts(home),
  ]);
  return {
    nodes,
    problems: [...problems, ...executors.problems, ...config.problems, ...alerts.problems],
  };
}

/** The built-in executors and those of executors.yaml, which a home need not have. */
export async function loadExecutors(home: string): Promise<ParsedExecutors> {
  const file = 'executors.yaml';
  const read = await readText(join(home, file), file);
  if ('text' in read) return parseExecutors(read.text, file, builtinExecutors());
  const executors = builtinExecutors();
  return { executors, credentials: {}, problems: 'problem' in read ? [read.problem] : [] };
}

/** dispatch.yaml, which a home need not have. */
export async function loadHomeConfig(home: string): Promise<ParsedHome> {
  const read = await readText(join(home, HOME_CONFIG), HOME_CONFIG);
  if ('text' in read) return parseHome(read.text, HOME_CONFIG);
  return { ...parseHome('', HOME_CONFIG), problems: 'problem' in read ? [read.problem] : [] };
}

/** What is set for a home as a whole. */
export const HOME_CONFIG = 'dispatch.yaml';

/** alerts.yaml, which a home need not have. */
export async function loadAlerts(home: string): Promise<ParsedAlerts> {
  const read = await readText(join(home, ALERTS_CONFIG), ALERTS_CONFIG);
  if ('text' in read) return parseAlerts(read.text, ALERTS_CONFIG);
  return { ...parseAlerts('', ALERTS_CONFIG), problems: 'problem' in read ? [read.problem] : [] };
}

/** What is told to whom, and when. */
export const ALERTS_CONFIG = 'alerts.yaml';

async function loadNodes(home: string): Promise<LoadedHome> {
  const file = 'nodes.json';
  const read = await readText(join(home, file), file);
  if ('missing' in read) {
    const fix =
      'dispatch nodes add <ssh alias>, or { "name": "here", "local": true, "slots": 2 } in nodes.json';
    return {
      nodes: [],
      problems: [{ ...problemAt('E_NODES_MISSING', file, 'there is no nodes.json in this home'), fix }],
    };
  }
  if ('problem' in read) return { nodes: [], problems: [read.problem] };
  const { nodes, problems } = parseNodes(read.text, file);
  if (problems.length > 0 || nodes.length > 0) return { nodes, problems };
  const empty = {
    ...problemAt('E_NODES_EMPTY', file, 'nodes.json lists no machine'),
    severity: 'warning' as const,
  };
  return { nodes, problems: [{ ...empty, fix: 'dispatch nodes add <ssh alias>' }] };
}

/** Names of the projects in a home, sorted: the folders of specs/ whose names are valid. */
export async function listProjects(home: string): Promise<ProjectName[]> {
  const entries = await listFolder(join(home, 'specs'));
  return (entries ?? [])
    .filter(({ name, isFolder }) => isFolder && isName(name))
    .map(({ name }) => projectName(name))
    .sort();
}

/** A project's files as far as they can be understood, before they are held against each other. */
export interface ReadProject {
  readonly name: ProjectName;
  readonly configured: ParsedProject;
  /** The files of the queue, by name. */
  readonly queue: readonly ParsedSpec[];
}

/** A project's configuration and specs, with everything that is wrong in any of its files. */
export async function loadProject(
  home: string,
  project: string,
  options: LoadOptions = {},
): Promise<LoadedProject> {
  const read = await readProject(home, project, options);
  if ('problem' in read) return { config: null, specs: [], problems: [read.problem] };
  const { configured, queue: parsed } = read;
  const across = checkProject(parsed, options.basePaths ?? null);
  const none = parsed.length > 0 ? [] : [emptyProject(`specs/${project}`)];
  return {
    config: configured.config,
    specs: parsed.flatMap(({ spec, text }) => (spec === null ? [] : [{ spec, text }])),
    problems: sortProblems([
      ...configured.problems,
      ...none,
      ...parsed.flatMap(({ problems }) => problems),
      ...across,
    ]),
  };
}

/** Reads a project's files; a problem when there is no such project. */
export async function readProject(
  home: string,
  project: string,
  options: Pick<LoadOptions, 'builtin'> = {},
): Promise<ReadProject | { problem: Problem }> {
  const folder = `specs/${project}`;
  const entries = isName(project) ? await listFolder(join(home, folder)) : null;
  if (entries === null) return { problem: await unknownProject(home, project) };
  const name = projectName(project);
  // What is wrong in executors.yaml is the home's affair; what is right there counts here.
  const known =
    options.builtin === undefined
      ? await loadExecutors(home)
      : { executors: options.builtin, credentials: {} };
  const configured = await loadConfig(home, folder, name, known);
  const files = entries.filter((entry) => isSpecFile(entry)).map((entry) => `${folder}/${entry.name}`);
  return { name, configured, queue: await readSpecs(home, files.sort(), { name, configured }) };
}

/** Reads these files, paths relative to the home, as specs of the project. */
export function readSpecs(
  home: string,
  files: readonly string[],
  { name, configured }: Pick<ReadProject, 'name' | 'configured'>,
): Promise<ParsedSpec[]> {
  const { config, budgetTokens } = configured;
  return loadSpecs(home, files, (text, file) =>
    parseSpec(text, file, { project: name, config, budgetTokens }),
  );
}

const NO_SPECS = new Set(['readme.md', 'plan.md']);

/**
 * Whether the project may start, where it has to have a plan: null, or what is wrong with specs/<project>/PLAN.md.
 * @param specs all of them.
 */
export async function planProblem(
  home: string,
  config: ProjectConfig,
  specs: readonly TaskSpec[],
): Promise<Problem | null> {
  if (config.requirePlan !== true) return null;
  const file = planFile(config.name);
  const fix = `dispatch plan ${config.name} --full`;
  const read = await readText(join(home, file), file);
  if ('problem' in read) return read.problem;
  if ('missing' in read)
    return {
      ...problemAt('E_PLAN_MISSING', file, `${config.name} has no plan, and project.yaml requires one`),
      fix,
    };
  if (fingerprintIn(read.text) === planFingerprint(specs)) return null;
  const message = 'the plan is of other specs: tasks, their paths or their order have changed since';
  return { ...problemAt('E_PLAN_STALE', file, message), fix };
}

/** Relative to the home. */
export function planFile(project: ProjectName): string {
  return `specs/${project}/PLAN.md`;
}

/** README.md and the plan are for people. Hidden files are an editor's. */
function isSpecFile({ name, isFolder }: FolderEntry): boolean {
  return !isFolder && name.endsWith('.md') && !name.startsWith('.') && !NO_SPECS.has(name.toLowerCase());
}

async function loadConfig(
  home: string,
  folder: string,
  name: ProjectName,
  known: Pick<ParsedExecutors, 'executors' | 'credentials'>,
): Promise<ParsedProject> {
  const file = `${folder}/project.yaml`;
  const read = await readText(join(home, file), file);
  if ('missing' in read) {
    const problem = problemAt('E_PROJECT_NO_CONFIG', file, `project ${name} has no project.yaml`);
    const fix = `write ${file}, for example: repo: ../${name} and verify: make test`;
    return { config: null, budgetTokens: null, problems: [{ ...problem, fix }] };
  }
  if ('problem' in read) return { config: null, budgetTokens: null, problems: [read.problem] };
  const parsed = parseProject(read.text, file, name, known.executors, known.credentials);
  return parsed.config === null ? parsed : { ...parsed, config: atHome(parsed.config, home) };
}

/** A path to a repository counts from the home, and a controller may run anywhere: it becomes absolute here. */
function atHome(config: ProjectConfig, home: string): ProjectConfig {
  const { repo } = config;
  if (repo === null || /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(repo) || /^[^/]+:/.test(repo)) return config;
  if (repo === '~' || repo.startsWith('~/')) return { ...config, repo: join(homedir(), repo.slice(1)) };
  return { ...config, repo: resolve(home, repo) };
}

async function loadSpecs(
  home: string,
  files: readonly string[],
  parse: (text: string, file: string) => ParsedSpec,
): Promise<ParsedSpec[]> {
  // Enough to keep the disk busy, far from the limit of open files.
  const limit = pLimit(64);
  return limit.map(files, async (file) => {
    const read = await readText(join(home, file), file, MAX_SPEC_BYTES);
    if ('text' in read) return parse(read.text, file);
    const problem =
      'problem' in read
        ? read.problem
        : problemAt('E_SPEC_UNREADABLE', file, 'the file went away while it was read');
    return {
      file,
      text: '',
      spec: null,
      id: null,
      dependsOn: [],
      modifies: [],
      expands: [],
      problems: [problem],
    };
  });
}

type ReadText = { text: string } | { problem: Problem } | { missing: true };

async function readText(path: string, file: string, limit = Number.POSITIVE_INFINITY): Promise<ReadText> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > limit) {
      const problem = problemAt('E_SPEC_TOO_LARGE', file, 'the file is too large for a spec');
      return {
        problem: {
          ...problem,
          expected: `at most ${limit / 1024} KiB`,
          got: `${Math.ceil(bytes.length / 1024)} KiB`,
        },
      };
    }
    return decodeText(bytes, file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { missing: true };
    return { problem: problemAt('E_SPEC_UNREADABLE', file, `the file cannot be read: ${reasonOf(error)}`) };
  }
}

interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** null: there is no such folder. */
async function listFolder(path: string): Promise<FolderEntry[] | null> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

async function unknownProject(home: string, project: string): Promise<Problem> {
  const known = await listProjects(home);
  const near = nearest(project, known);
  return {
    ...problemAt(
      'E_PROJECT_NOT_FOUND',
      `specs/${project}`,
      `there is no project ${JSON.stringify(project)} in this home`,
    ),
    expected: known.length === 0 ? 'a folder in specs/' : `one of ${known.slice(0, 20).join(', ')}`,
    ...(near === null ? {} : { fix: `did you mean "${near}"?` }),
  };
}

function emptyProject(folder: string): Problem {
  return {
    ...problemAt('E_PROJECT_NO_SPECS', folder, 'the project has no specs'),
    severity: 'warning',
    fix: `write ${folder}/S01.md`,
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function problemAt(code: ErrorCode, file: string, message: string): Problem {
  return { code, severity: 'error', file, line: 1, col: 1, message };
}
