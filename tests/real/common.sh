# Sourced by the tests of this directory, each run as: TEST LAB CHARM [NET]
#
# To be set before lab_up: kafka_properties, further lines of the brokers' server.properties; kafka_units, how many
# brokers there are; kafka_options, further words for its `lab deploy`.
#
# A lab of its own with a real broker and the deployer; the charm is called `connect`, the model `demo`. Exit
# status 77: it cannot be run here. What was expected and what was there is printed when it fails.
set -euo pipefail

lab=$1 charm=$2 net=${3:-auto}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tools/common"
version=${REAL_KAFKA:-${version:-4.3.1}}
kafka=$cache/kafka/$version
work=$(mktemp -d "${TMPDIR:-/tmp}/kcb-real-XXXXXX")
data=$work/data
kafka_options=()
mkdir "$data"
export LAB_DIR=$work/lab

skip() { echo "SKIPPED: $*"; rm -rf "$work"; exit 77; }
[ -d "$kafka/libs" ] || skip "there is no Kafka in $kafka; tools/prerequisites fetches it"
[ -e "$charm" ] || [ "${charm%/build/release/charm}" = "$charm" ] || skip "build/release is not built"
[ -e "$charm" ] || die "there is no charm at $charm"
command -v java >/dev/null || skip "there is no java"

finish() {
    local status=$?
    if [ $status != 0 ]; then
        "$lab" status --relations || true
        "$lab" hooks || true
        "$lab" debug-log -n 200 | grep -vE '  (not|tool) ' | tail -n 40 | cut -c1-300 || true
        echo "FAILED; the lab's files are in $work"
    fi
    "$lab" stop >/dev/null 2>&1 || true
    [ $status != 0 ] || rm -rf "$work"
}

lab_up() {
    [ "$version" != 4.3.1 ] || "$root/lab/make-archives" "$kafka"
    trap finish EXIT
    "$lab" start --model demo --net "$net" --no-retry --set "kafka-home=$kafka" --set "data=$data" >/dev/null || {
        [ "$net" != private ] || { trap - EXIT; skip "no private network can be made here"; }
        exit 1
    }
    "$lab" status --format json | grep -o '"network": *"[^"]*"'
    "$lab" deploy kafka -n "${kafka_units:-1}" --config "properties=${kafka_properties:-}" "${kafka_options[@]}" >/dev/null
    "$lab" deploy kubernetes-deployer >/dev/null
    "$lab" wait-for kafka --status active --timeout 60s
    broker=$("$lab" status --no-color | sed -n 's/.*broker at \([0-9.:]*\).*/\1/p' | head -n 1)
}

worker_config="key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.flush.interval.ms=1000"

connectors() {
    cat <<END
{"read-words": {"connector.class": "FileStreamSource", "file": "$data/in.txt", "topic": "words",
                "topic.creation.default.partitions": 1, "topic.creation.default.replication.factor": 1},
 "write-words": {"connector.class": "FileStreamSink", "topics": "words", "file": "$data/out.txt"}}
END
}

deploy_charm() {
    "$lab" deploy "$charm" connect --config topics=words --config "image=apache/kafka:$version" \
        --config "worker-config=$worker_config" "$@" >/dev/null
    "$lab" wait-for connect/0 --idle --timeout 60s
}

# kafka_tool CLASS ARGUMENT...: Kafka's own command line, inside the lab's network.
kafka_tool() {
    local class=$1
    shift
    "$lab" exec connect/0 -- java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$kafka/libs/*" \
        "$class" --bootstrap-server "$broker" "$@" 2>&1
}

# kill_broker UNIT: as a crash does; restart_broker UNIT: on the same data.
kill_broker() { kill -9 "$(cat "$LAB_DIR"/apps/kafka-*/"${1#*/}"/broker.pid)"; }
restart_broker() {
    "$lab" config kafka "stopped=$1" >/dev/null
    "$lab" config kafka stopped= >/dev/null
    "$lab" wait-for "$1" --status active --timeout 60s
}

# status_is WORD TEXT: of connect/0, now or after some rounds of update-status.
status_is() {
    local word=$1 text=$2 round
    for round in {1..40}; do
        if "$lab" wait-for connect/0 --status "$word" --message-contains "$text" --idle --timeout 3s 2>/dev/null; then
            echo "ok: $word: $text"
            return
        fi
        "$lab" update-status connect/0 >/dev/null
    done
    fail_with "status '$word' with the text '$text'"
}

# eventually WHAT COMMAND...: for two minutes.
eventually() {
    local what=$1 try
    shift
    for try in {1..240}; do
        if "$@" >/dev/null 2>&1; then
            echo "ok: $what"
            return
        fi
        sleep 0.5
    done
    fail_with "$what"
}

never() {
    local what=$1
    shift
    ! "$@" >/dev/null 2>&1 || fail_with "never: $what"
    echo "ok: not $what"
}

fail_with() { echo "EXPECTED $*"; exit 1; }
came_out() { grep -qF "$1" "$data/out.txt"; }
say_word() { echo "$1" >>"$data/in.txt"; }
hook_failed() { "$lab" hooks --no-color | awk '$1 ~ /^[0-9]+$/ && $3 != "juju-exec" && $(NF - 2) !~ "^(ok|running)$" { bad = 1 } END { exit !bad }'; }
# (no grep -q behind a pipe: it would end the command before it, and pipefail would call that a failure)
asks_for_workers() { "$lab" show-unit connect/0 | grep '^ *resource: .*Deployment' >/dev/null; }
worker_runs() { "$lab" status --no-color | grep '^kubernetes-deployer/0.* [1-9][0-9]* worker' >/dev/null; }
