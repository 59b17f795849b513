# Runs one Postgres server in this folder until standard input ends, which is when its owner stops it or is gone.
#
# Standard output is the server's lock: every process of the server has it open, and no other in the end.
# KIND is kept or throwaway, INITDB and POSTGRES are programs, DATA is where the data stand, SOCKETS and PORT are
# where the server listens. The arguments are the folders to delete at the end.

# What stops the owner, or closes its terminal, must not stop this.
trap '' HUP INT TERM
exec 2>log

case $KIND in
kept)
    sync= settings= signal=INT
    ;;
throwaway)
    sync=--no-sync signal=QUIT
    settings='-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400'
    ;;
esac

# Whenever the last try was killed: data that are there are whole.
make_data() {
    rm -rf unfinished &&
    "$INITDB" -U postgres -A trust -E UTF8 --no-locale $sync -D unfinished &&
    mv unfinished "$DATA"
}

{
    { [ -d "$DATA" ] || make_data; } &&
    exec "$POSTGRES" -D "$DATA" -k "$SOCKETS" -p "$PORT" -c listen_addresses= -c shared_buffers=64MB $settings
} 3>&1 >&2 </dev/null &
server=$!
exec >&-

read -r _

# Again and again, because a server that was made just now does not listen yet.
while kill -s "$signal" "$server"; do sleep 0.1; done 2>/dev/null &
wait "$server"
status=$?

[ $# = 0 ] || rm -rf "$@"
exit "$status"
