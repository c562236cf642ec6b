import type { Command } from 'commander';
import type { CheckContractOptions } from '../verbs/contract.ts';
import { type Act, GROUPS, verb } from './act.ts';

const GRAMMAR = `The file is \`contract\` in project.yaml, SHARED_CONTEXT.md by default; it is read at the base that tasks start from.

An interface is a heading that names it: \`### POST /posts\`, \`## 2.1 创建 POST /posts\`, \`### Interface: createPost\`, \`### 接口：createPost\`. A row of a table with a method and a path names one too. Below it stand its examples, each in a \`\`\`json block (\`\`\`jsonc for comments), up to the next interface or a heading of the same level. Which side a block shows is said by the last heading or line above it (\`Request\`, \`Response 201:\`, \`请求：\`, \`响应：\`), or behind its fence (\`\`\`json response); unsaid, the first is the request. GET, HEAD, DELETE and OPTIONS need no request. \`Request: none\` and \`Response 204\` mean that there is nothing to show (无 does as well).

Found are interfaces without an example (E_CONTRACT_NO_EXAMPLE), invalid JSON with its place (E_CONTRACT_JSON), one field under two spellings, userId and user_id (E_CONTRACT_FIELD), and one interface twice (E_CONTRACT_DUPLICATE).`;

/** What the tasks of a project agree on. */
export function declareContract(program: Command, act: Act): void {
  const contract = verb(program, 'contract', {
    summary: 'what the tasks of a project agree on: check it, see its changes, accept one',
    group: GROUPS.prepare,
    examples: [
      ['dispatch contract check web', 'every interface with an example of both sides, in valid JSON'],
      ['dispatch contract diff web', 'what has changed since the work began'],
      ['dispatch contract accept web', 'let the change count: what has not merged starts again'],
    ],
    more: 'Each attempt is told to keep to the contract of its base. When that is another one, no work of the project starts before a person accepts it; what runs goes on.',
  });

  verb(contract, 'check <project>', {
    summary: 'find interfaces without an example, invalid JSON, fields with two spellings, duplicates',
    group: GROUPS.prepare,
    examples: [
      ['dispatch contract check web', 'as the base has it'],
      ['dispatch contract check web --file ../web/SHARED_CONTEXT.md', 'before it is committed'],
      ['dispatch contract check web -o json', 'for a program'],
    ],
    more: `${GRAMMAR}\n\nExit 0: nothing was found; 2: something was; 5: there is no contract.`,
  })
    .option('--file <path>', 'a file instead of the one in the repository')
    .action(
      act(async (context, project: string, options: CheckContractOptions) => {
        const { checkProjectContract } = await import('../verbs/contract.ts');
        return checkProjectContract(context, project, options);
      }),
    );

  verb(contract, 'show <project>', {
    summary: 'its interfaces with their fields, and whether it has changed',
    group: GROUPS.prepare,
    examples: [['dispatch contract show web', 'one line for each interface']],
  })
    .option('--file <path>', 'a file instead of the one in the repository')
    .action(
      act(async (context, project: string, options: CheckContractOptions) => {
        const { showContract } = await import('../verbs/contract.ts');
        return showContract(context, project, options);
      }),
    );

  verb(contract, 'diff <project>', {
    summary: 'what has changed since it was accepted',
    group: GROUPS.prepare,
    examples: [['dispatch contract diff web', 'lines that went and lines that came']],
  }).action(
    act(async (context, project: string) => {
      const { diffContract } = await import('../verbs/contract-change.ts');
      return diffContract(context, project);
    }),
  );

  verb(contract, 'accept <project>', {
    summary: 'let the changed contract count, start again what has not merged, verify what has',
    group: GROUPS.prepare,
    examples: [
      ['dispatch contract accept web', 'then work starts again'],
      ['dispatch contract accept web -o json', 'for a program'],
    ],
    more: 'What was made under another contract and has not merged is given up and starts again, with its branch at hand and without a try being charged. Then every gate runs once more on what has merged, as `dispatch verify` does it.\n\nExit 0: accepted, and what merged is green; 3: accepted, and something that merged is red; 6: it has changed once more meanwhile; 9: a gate could not run.',
  }).action(
    act(async (context, project: string) => {
      const { acceptContract } = await import('../verbs/contract-change.ts');
      return acceptContract(context, project);
    }),
  );
}
