/** The files that `init` writes. They teach: each setting has its sentence, and those not needed are commented out. */
import type { ProjectAnswers } from './answers.ts';

export const GITIGNORE_LINE = '.dispatch/';

export function nodesTemplate(): string {
  return `// Machines that run agents. Add one with \`dispatch nodes add <ssh alias>\`: it shows the host key and probes the machine.
{
  "nodes": [
    // A machine that ssh reaches by this alias:
    // { "name": "mac2", "ssh_target": "mac2", "slots": 4, "labels": ["macos"], "weight": 1 },
    // Any program that gives a byte stream to a machine:
    // { "name": "pod7", "command": ["kubectl", "exec", "-i", "agent-7", "--"], "slots": 8 },

    // This machine. "slots" is how many agents it runs at once.
    { "name": "local", "local": true, "slots": 2, "mode": "hybrid" }
  ]
}
`;
}

export function projectTemplate({ project, repo, target, verify }: ProjectAnswers): string {
  const repository =
    repo === null
      ? `# No repository: a task's command and its verify decide, and nothing is merged. To work on one:
# repo: ~/code/${project}
# target: main`
      : `# A path or a URL that git can fetch from and push to. Your own checkout is never touched.
repo: ${scalar(repo)}
# Branch where \`dispatch collect ${project}\` lands what passed.
target: ${scalar(target)}`;
  const proof =
    verify === null && repo !== null
      ? `# The command that proves a task, run on a clean checkout. A spec may name its own.
verify: make test`
      : verify === null
        ? '# verify: ./check.sh'
        : `# The command that proves a task, run on a clean checkout. A spec may name its own.
verify: ${scalar(verify)}`;
  return `# Project ${project}: what its specs share. \`dispatch validate ${project}\` checks it.
${repository}
${proof}

# Which agent works on a task that names none: claude, glm, minimax, or one of your own below.
executor: ${repo === null ? 'note' : 'claude'}
${repo === null ? '' : '# '}executors:
${repo === null ? '' : '# '}  note: { command: ["sh", "-c", "echo did $DISPATCH_TASK_ID"] }

timeout: 30m        # one attempt
retries: 3          # times the gates' findings go back to the agent
# areas:                                             # parts that do not read each other are verified side by side
#   web: { paths: [web/], verify: npm test --prefix web }
# shared_paths: [package.json, package-lock.json]     # conflict even if undeclared
# protected_paths: [".github/workflows/**"]           # no task may change them unless it names them

# What agents may see and use on a node: none, basic or strict (a view with nothing but the system, their tree and HOME).
# cage: { level: strict, network: [registry.npmjs.org], limits: { memory: 8GiB, disk: 20GiB } }

# Verify commands run in a sandbox: no network, no access to the rest of the machine. What yours need besides:
# gates:
#   network: true
#   read_only: [~/.cache/models]                      # places on the node that they may read
#   prepare: { command: npm ci, keyed_by: [package-lock.json], paths: [node_modules] }   # once per lockfile, with network
#   control: { skip: it calls a service }             # start lets work begin only after verify went red on a broken copy; this skips that
# trusted: true                                       # no sandbox at all: for nodes that cannot have one
# review: p0                                          # a person approves: never, p0 or always
`;
}

export function specTemplate({ project, repo, verify }: ProjectAnswers): string {
  return `---
task_id: S01-example
project: ${scalar(project)}
priority: 2                  # 0 is most urgent, 3 least
depends_on: []               # ids of tasks that must have merged before
${repo === null ? '' : 'modifies: ["README.md"]      # what it may change; two tasks that meet here take turns\n'}${verify === null ? '' : `verify: ${scalar(verify)}\n`}estimate: 10m
---
## Goal
Say in a sentence or two what is there when this is done.

## Constraints
- What it must keep to: libraries, names, style.

## Acceptance
- What a reviewer would check, one line each.

## Don't
- What must stay as it is.
`;
}

/** A YAML scalar: plain where that is safe, quoted like JSON (which YAML reads) where it is not. */
function scalar(text: string): string {
  const plain = /^[A-Za-z0-9_./~][A-Za-z0-9_./~@+ -]*$/u.test(text) && !/^[\d.~-]+$|\s$/u.test(text);
  return plain && !/^(?:true|false|yes|no|on|off|null)$/iu.test(text) ? text : JSON.stringify(text);
}
