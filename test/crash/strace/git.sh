#!/bin/sh
# Stands in front of git on the PATH of the programs under test: runs some of its calls under strace, which breaks the
# n-th system call of a kind. Which, says the plan of the run: lines `<id> <place> <subcommand> <mode> <syscall> <n>`.
real=@GIT@
dir= sub= skip=
for arg; do
	if [ -n "$skip" ]; then skip=; continue; fi
	case $arg in
	-c) skip=1 ;;
	--git-dir=*) dir=${arg#--git-dir=} ;;
	-*) ;;
	*) sub=$arg; break ;;
	esac
done
base=${dir%%/home/.dispatch/*}
plan=${base%%/nodes/*}/git-points
# An agent's own git, and what belongs to no run.
if [ -n "$DISPATCH_TOKEN" ] || [ -z "$dir" ] || ! [ -d "$plan" ]; then exec "$real" "$@"; fi
case $dir in
*/.dispatch/*) place=hub ;;
*/attempts/*) place=attempt ;;
*) place=mirror ;;
esac
if ! [ -f "$plan/targets" ]; then
	exec strace -f -y -qq -o "$plan/seen.$place.$sub.$$" -e trace=@CALLS@ -e signal=none "$real" "$@"
fi
# The program must get on in between: an attempt takes some fifteen calls of git. The plan comes on another descriptor:
# standard input is git's.
case $place in
hub) among=5 ;;
*) among=12 ;;
esac
[ $(($$ % among)) = 0 ] || exec "$real" "$@"
while read -r id at what mode call n <&3; do
	[ "$at" = "$place" ] && [ "$what" = "$sub" ] && mkdir "$plan/taken.$id" 2>/dev/null || continue
	log=$plan/log.$id
	case $mode in
	before) set -- -o "$log" -e "inject=$call:signal=KILL:when=$n" "$real" "$@" ;;
	after) set -- -o "|sh $plan/after.sh $log" -e "inject=$call:delay_exit=1000000:when=$n" "$real" "$@" ;;
	unsure)
		"$real" "$@" >/dev/null && echo '(INJECTED)' >"$log"
		echo 'fatal: it was done, and something broke then' >&2
		exit 128
		;;
	*) set -- -o "$log" -e "inject=$call:error=$mode:when=$n" "$real" "$@" ;;
	esac
	exec strace -f -y -qq -e "trace=$call" "$@" 3<&-
done 3<"$plan/targets"
exec "$real" "$@"
