import { homePaths } from '../../../controller/paths.ts';
import type { NodeLook } from '../../../controller/questions.ts';
import { nodesOfController } from '../../../controller/socket.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import type { NodeConfig } from '../../../model/spec.ts';
import { type NodeHealth, WELL } from '../../../model/health.ts';
import type { NodeState, State } from '../../../model/state.ts';
import { alertLines, nodeAlerts } from '../../../report/alerts.ts';
import { stallText } from '../../../model/stall.ts';
import { formatDuration } from '../../../model/time.ts';
import { endText } from '../../../report/silence.ts';
import { stalledOn } from '../../../schedule/stalled.ts';
import type { Context } from '../../context.ts';
import {
  agentLines,
  agentsText,
  clockText,
  healthLines,
  healthWord,
  inodesText,
  stillText,
} from '../../nodes/health-text.ts';
import { bytesText } from '../../nodes/probe-text.ts';
import { requireNodes } from '../../nodes-file.ts';
import type { Paint } from '../../render/colour.ts';
import { safeLine } from '../../render/safe-text.ts';
import { viewOrNull } from '../../view.ts';

interface HealthRow {
  readonly node: string;
  readonly slots: number;
  /** Attempts that live there by the store; the node's own count is in `said`. */
  readonly running: number;
  /** How many of these show no progress. */
  readonly stalled: number;
  readonly mark: 'none' | 'cordon' | 'drain';
  /** `unknown`: no controller runs that could tell. */
  readonly state: 'up' | 'down' | 'unknown';
  readonly trouble: NodeLook['trouble'];
  readonly said: NodeLook['said'];
  readonly silence: NodeLook['silence'];
  /** What the controller takes it for because of that. */
  readonly taken: 'suspect' | 'lost' | null;
  /** What is wrong, what is being done about it, and what healed lately. */
  readonly health: NodeHealth;
  /** What its agents' programs said last. */
  readonly programs: NodeState['programs'];
}

/** Every machine on one screen, as the running controller was told last. Connects to nothing itself. */
export async function health(context: Context): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const nodes = await requireNodes(home);
  const state = await viewOrNull(context, async (view) => view.state);
  const looks = await nodesOfController(homePaths(home).socket);
  const rows = nodes.map((config) => rowOf(config, state, looks));
  const named = new Set<string>(nodes.map(({ name }) => name));
  const alerts =
    state === null ? [] : nodeAlerts(state).filter(({ node }) => node !== null && named.has(node));
  output.list<HealthRow>({
    kind: 'NodeHealthList',
    rows,
    name: ({ node }) => node,
    columns: [
      { title: 'node', value: ({ node }) => node },
      { title: 'state', value: stateText },
      { title: 'slots', value: ({ running, slots }) => `${running}/${slots}` },
      { title: 'stalled', value: ({ stalled }) => (stalled === 0 ? '-' : String(stalled)) },
      { title: 'rtt', value: told(({ roundTripMs }) => `${roundTripMs.toFixed(1)} ms`) },
      { title: 'load', value: told(({ health: { load1, cores } }) => `${load1.toFixed(1)}/${cores}`) },
      { title: 'memory', value: told(({ health: { memoryFree } }) => `${bytesText(memoryFree)} free`) },
      { title: 'disk', value: told(({ health: { diskFree } }) => `${bytesText(diskFree)} free`) },
      { title: 'inodes', value: told(({ health: { files } }) => inodesText(files)) },
      { title: 'health', value: ({ health }) => healthWord(health), paint: healthPaint },
      { title: 'agents', value: ({ programs }) => agentsText(programs) },
      { title: 'clock', value: told(({ clockOffsetMs }) => clockText(clockOffsetMs)) },
      {
        title: 'stall',
        value: told(({ health: { stallMs } }) => (stallMs === undefined ? '-' : stillText(stallMs))),
        wide: true,
      },
      { title: 'boot', value: told(({ health: { bootId } }) => bootId.slice(0, 8)), wide: true },
      { title: 'node.js', value: told(({ health: { node } }) => node), wide: true },
      { title: 'git', value: told(({ health: { git } }) => git ?? 'missing'), wide: true },
      { title: 'tmux', value: told(({ health: { tmux } }) => tmux ?? 'missing'), wide: true },
      { title: 'asked', value: told(({ at }) => `${formatDuration(Date.now() - at)} ago`), wide: true },
    ],
    meta: { controller: looks !== null, alerts },
    empty: 'no node yet: dispatch nodes add <ssh alias>',
  });
  if (looks === null && rows.length > 0)
    output.note('no controller runs that could tell: dispatch nodes probe connects and looks');
  for (const { attempt, stall } of nodes.flatMap(({ name }) =>
    state === null ? [] : stalledOn(state, name),
  ))
    output.note(
      safeLine(`${attempt.node}: ${attempt.task} ${stallText(stall)} (dispatch why ${attempt.task})`),
    );
  const now = Date.now();
  for (const row of rows) {
    const { node, trouble, silence, running, taken, said, programs } = row;
    if (trouble !== null)
      output.note(safeLine(`${node}: ${trouble.message} (dispatch explain ${trouble.code})`));
    if (silence !== null && running > 0) output.note(`${node}: ${endText(silence)}`);
    if (taken === 'lost')
      output.note(`${node}: lost, so its tasks start elsewhere; used again when it is back`);
    for (const line of [...healthLines(node, row.health, said, now), ...agentLines(node, programs)])
      output.note(line);
  }
  for (const line of alertLines(alerts)) output.note(safeLine(line));
  return EXIT.ok;
}

function rowOf(config: NodeConfig, state: State | null, looks: readonly NodeLook[] | null): HealthRow {
  const { name, slots } = config;
  const look = looks?.find((one) => one.name === name);
  const known = state?.nodes.get(name);
  return {
    node: name,
    slots,
    running: state?.live.get(name)?.size ?? 0,
    stalled: state === null ? 0 : stalledOn(state, name).length,
    mark: known?.mark ?? 'none',
    state: look === undefined ? 'unknown' : look.connected ? 'up' : 'down',
    trouble: look?.trouble ?? null,
    said: look?.said ?? null,
    // One that was never reached has not fallen silent.
    silence: known?.bootId == null ? null : (look?.silence ?? null),
    taken: known?.silence?.is ?? null,
    health: known?.health ?? WELL,
    programs: known?.programs ?? {},
  };
}

function stateText({ state, mark, silence, taken }: HealthRow): string {
  const since = silence === null ? '' : ` ${formatDuration(silence.silentMs)}`;
  const word = state === 'unknown' ? (taken ?? '-') : state === 'up' ? state : `${taken ?? state}${since}`;
  return mark === 'none' ? word : `${word} ${mark}`;
}

function healthPaint(paint: Paint, { health }: HealthRow): (text: string) => string {
  return health.ailments.length === 0 ? String : paint.yellow;
}

/** Text of the node is the node's: it may hold anything. */
function told(text: (said: NonNullable<HealthRow['said']>) => string): (row: HealthRow) => string {
  return ({ said }) => (said === null ? '-' : safeLine(text(said)));
}
