/**
 * How a copy of the base is broken on purpose, to see whether a gate notices. A gate that stays green when every file
 * that it could judge is rubbish proves nothing: it runs no tests, swallows their exit code, or looks elsewhere.
 *
 * Every tracked file is replaced by text that no common language, and no common data format, takes, tests included; only
 * what makes the gate run is kept, or it would go red for a reason of its own and show nothing:
 *
 * - the files that the command runs (its script, a Makefile, the scripts of package.json), not those that it only names:
 *   `pytest tests/test_a.py` has its test broken, `./run.sh` is kept;
 * - configuration of runners, compilers and package managers, lockfiles, and what keys the project's `prepare`;
 * - dependencies that are checked in, links and submodules.
 *
 * So a refusal cannot be wrong: whatever the gate looked at, it was none of the project's files. The other way round it
 * proves little, and is meant to: that the gate can go red at all. How much it tests, the counted tests say.
 */
import { compileMatcher } from '../plan/match.ts';
import { ALWAYS_PROTECTED } from '../spec/protected-paths.ts';

/** True for a file that makes gates run rather than being judged by them, by the conventions of the common languages. */
export function isHarness(path: string): boolean {
  return KEPT_FOLDER.test(path) || KEPT_NAME.test(path.slice(path.lastIndexOf('/') + 1)) || isProtected(path);
}

const isProtected = compileMatcher(ALWAYS_PROTECTED);
const KEPT_FOLDER = /(?:^|\/)(?:node_modules|vendor|third_party|\.yarn|\.mvn|gradle\/wrapper)\//;
const KEPT_NAME = new RegExp(
  [
    /\..+/,
    /(?:GNU)?[Mm]akefile|.+\.mk|[Jj]ustfile|Taskfile\.ya?ml|Rakefile|noxfile\.py/,
    /package\.json|deno\.jsonc?|tsconfig.*\.json|.+\.config\.[cm]?[jt]sx?(?:on)?/,
    /.+[.-]lock(?:\.json|\.ya?ml|b)?|npm-shrinkwrap\.json|go\.sum|requirements.*\.txt|Pipfile.*|Gemfile.*/,
    /pyproject\.toml|setup\.(?:cfg|py)|.+\.gemspec|composer\.json|phpunit\.xml.*/,
    /go\.(?:mod|work)|Cargo\.toml|rust-toolchain.*|mix\.exs|build\.sbt|pom\.xml|mvnw|gradlew/,
    /.+\.gradle(?:\.kts)?|gradle\.properties|.+\.(?:cs|fs|vb)proj|.+\.(?:sln|props|targets)/,
    /CMakeLists\.txt|.+\.cmake|meson\.build|BUILD(?:\.bazel)?|WORKSPACE(?:\.bazel)?|MODULE\.bazel/,
  ]
    .map(({ source }) => `^(?:${source})$`)
    .join('|'),
);

/** What the file holds in the broken copy. */
export function brokenText(path: string): string {
  // Outside of its tags PHP prints everything and fails at nothing.
  return /\.(?:php\d?|phtml)$/.test(path) ? `<?php ${RUBBISH}` : RUBBISH;
}

const RUBBISH =
  ']})> dispatch broke this file on purpose, to see whether the gate notices: this copy is never merged\n';
