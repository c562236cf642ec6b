import picocolors from 'picocolors';
import type { Environment, Terminal } from '../environment.ts';
import type { Color } from '../settings.ts';

export type Paint = ReturnType<typeof picocolors.createColors>;

/** The colours for one stream. State is never told by colour alone: every painted word stands for itself. */
export function paintFor(color: Color, { variables }: Environment, stream: Terminal): Paint {
  return picocolors.createColors(wanted(color, variables, stream));
}

function wanted(color: Color, variables: Environment['variables'], stream: Terminal): boolean {
  if (color !== 'auto') return color === 'always';
  if (variables.NO_COLOR !== undefined) return false;
  if (isOn(variables.FORCE_COLOR) || isOn(variables.CLICOLOR_FORCE)) return true;
  if (variables.CLICOLOR === '0' || variables.FORCE_COLOR === '0' || variables.TERM === 'dumb') return false;
  return stream.tty;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '0' && value !== 'false';
}
