#!/bin/sh
# Runs one step of an attempt inside its tmux session: launch.sh <root>/attempts/<token>/<step>
#
# The step's script (<step>.sh, written by the supervisor, mode 0600) sets environment, limits, directory and
# redirections and becomes the command. This shell stays outside of it, records how it ended and wakes the supervisor.
# It is on the hot path: everything here is a builtin, so a step costs one fork besides the command's own start.
step=$1
root=${step%/attempts/*}
unset TMUX TMUX_PANE TERM_PROGRAM TERM_PROGRAM_VERSION

# A step runs at most once: whoever makes its record runs it.
set -C
echo $$ 2>/dev/null >"$step.run" || exit 0
set +C

# A polite signal to the group is for the command; this shell must live to record its end. (Hang-up is not caught:
# when tmux itself dies, the step is lost, and says so by leaving no record.)
trap : TERM INT
# When memory runs out the kernel shall take a command, and neither this shell nor tmux, whose score it would inherit.
(
	{ echo 400 >/proc/self/oom_score_adj; } 2>/dev/null
	# shellcheck source=/dev/null
	. "$step.sh"
)
code=$?

# One write of one line: the supervisor takes it only with its line end, so a torn one says nothing.
echo "$code" >>"$step.run"

# The reader of the pipe may be gone, or just be dying (then /proc has it without a program), or its number may be another
# process's by now: in these cases this shell becomes the one that starts the next supervisor.
alive() {
	kill -0 "$pid" 2>/dev/null || return 1
	[ -d /proc/self ] || return 0
	[ -e "/proc/$pid/exe" ] && read -r stat <"/proc/$pid/stat" || return 1
	# Its name may hold anything, so fields count from the last parenthesis.
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ -z "$start" ] || [ "${20}" = "$start" ]
}
start=
if {
	read -r pid && read -r node && read -r wrapper && { read -r _ && read -r _ && read -r start || :; }
} 2>/dev/null <"$root/run/supervisor"; then
	if alive 2>/dev/null && [ -p "$root/run/wake" ]; then
		echo "$step" 1<>"$root/run/wake"
	else
		exec "$node" "$wrapper" revive --root "$root"
	fi
fi
