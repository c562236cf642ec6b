# Reads what strace says and kills whoever has just come out of the call that was held up. $1 takes a copy, $2 says whom
# where the lines do not.
while read -r pid said; do
	echo "$pid $said" >>"$1"
	case $said in
	*'(DELAYED)'*)
		kill -9 "${2:-$pid}"
		exit
		;;
	esac
done
