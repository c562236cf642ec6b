/**
 * The two durable steps of launch.sh, with a point around each: who runs a step, and how it ended. It is a shell script, so
 * the points are shell, too, and keep to the same plan and the same log.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MARKS, type Plan } from './plan.ts';

const CLAIM = 'echo $$ 2>/dev/null >"$step.run" || exit 0\n';
const END = 'echo "$code" >>"$step.run"\n';

/** Steps of a node between two that break. */
const GAP = 4;

/** Sets `mode` to what is to happen at the next step of that name, `none` for nothing. */
const POINT = `broken() {
	mode=none ordinal=1 since=@GAP@
	log=@POINTS@/launch@\${root##*/}.log
	tab=$(printf '\\t')
	if [ -f "$log" ]; then
		while IFS=$tab read -r mark _ name; do
			since=$((since + 1))
			[ "$mark" = . ] || since=0
			[ "$name" != "launch $1" ] || ordinal=$((ordinal + 1))
		done <"$log"
	fi
	mark=.
	if [ "$since" -ge @GAP@ ] && [ -f @POINTS@/launch.plan ]; then
		while IFS=$tab read -r how sign at name; do
			[ "$at $name" = "$ordinal launch $1" ] && mode=$how mark=$sign
		done <@POINTS@/launch.plan
	fi
	printf '%s\\t%s\\tlaunch %s\\n' "$mark" "$ordinal" "$1" >>"$log"
	case $mode in killed\\ before) kill -9 $$ ;; esac
}
done_at() {
	case $mode in killed\\ after) kill -9 $$ ;; esac
}
`;

/** @param points the directory of plan and logs. @throws Error when launch.sh has changed, and this with it must. */
export function pointsInLaunch(text: string, points: string): string {
  if (!text.includes(CLAIM) || !text.includes(END)) throw new Error('launch.sh has other durable steps now');
  const claim = `set +C
broken 'attempts/*/#.run write'
set -C
case $mode in
EIO | ENOSPC) exit 0 ;;
unsure) echo $$ 2>/dev/null >"$step.run"; exit 0 ;;
*) ${CLAIM.trim()} ;;
esac
set +C
done_at
`;
  const end = `broken 'attempts/*/#.run append'
case $mode in
EIO | ENOSPC) ;;
*) ${END.trim()} ;;
esac
done_at
`;
  const function_ = POINT.replaceAll('@POINTS@', points).replaceAll('@GAP@', String(GAP));
  return text
    .replace(CLAIM, () => claim)
    .replace(END, () => end)
    .replace('set -C\n', () => `${function_}set -C\n`);
}

export function writeLaunchPlan(points: string, { targets }: Plan): void {
  const all = targets === null || typeof targets === 'string' ? {} : targets;
  const lines = Object.entries(all).flatMap(([name, modes]) =>
    name.startsWith('launch ')
      ? modes.map(([ordinal, mode]) => `${mode}\t${MARKS[mode]}\t${ordinal}\t${name}\n`)
      : [],
  );
  writeFileSync(join(points, 'launch.plan'), lines.join(''));
}
