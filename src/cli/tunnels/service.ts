import { createHash } from 'node:crypto';
import { DispatchError } from '../../model/error.ts';

/** What the supervisor of the user's session keeps running: `dispatch serve` for one home. */
export interface Service {
  /** One per home, so that a second home can be kept beside the first: `dispatch-serve-1a2b3c4d`. */
  readonly name: string;
  readonly home: string;
  /** Node.js, our program, `serve --home …`: absolute, because a supervisor knows no PATH of a shell. */
  readonly command: readonly string[];
  /** Variables that ssh, git and proxy commands need. */
  readonly variables: Readonly<Record<string, string>>;
}

/** @throws DispatchError E_USAGE when a path cannot be written into a unit file. */
export function serviceFor(given: {
  readonly home: string;
  readonly node: string;
  readonly program: string;
  readonly variables: Readonly<Record<string, string>>;
}): Service {
  const { home, node, program, variables } = given;
  const command = [node, program, 'serve', '--home', home];
  for (const text of [...command, ...Object.values(variables)]) refuseControls(text);
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 8);
  return { name: `dispatch-serve-${digest}`, home, command, variables };
}

function refuseControls(text: string): void {
  // oxlint-disable-next-line no-control-regex -- exactly these end a line or a string of a unit file
  if (!/[\u0000-\u001f\u007f]/u.test(text)) return;
  throw new DispatchError('E_USAGE', 'a path with a control character cannot be written into a unit file', {
    where: JSON.stringify(text),
  });
}
