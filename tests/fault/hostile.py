#!/usr/bin/env python3
"""hostile.py TOOL LEDGER HELLO CONNECT (all|slow): charms whose hook tools answer what Juju never would: nothing, half an
answer, another type, NUL, deep nesting, gigabytes, exit codes, signals, no end. Each time the real process must say one
clear line that names the tool, exit with 1 and write nothing; and no sanitizer may have a word. `slow` plays the tools
that never end, which takes the minute that a tool is given.

`ledger` and `hello` are small; `connect` is the real charm, in the recorded steady life, of which nothing may be withdrawn.
"""
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import stage
from stage import GOOD, TOOLS, WRITES

TOOL, LEDGER, HELLO, CONNECT, WHICH = sys.argv[1:6]
# Right in form, and yet nothing that Juju would say of this endpoint.
NAMES = {
    "relation-ids-website": [b'["kafka:1"]', b'["website:x"]', b'["website:1","-r"]', b'[""]', b'["website:-1"]'],
    "relation-list": [b'["website"]', b'["--app"]', b'["/0"]', b'["website/x"]', b'["website/0\\n"]'],
}
# What no tool may answer, as the bytes behind its verb.
ANSWERS = {
    "nothing": b"print\n", "a blank line": b"print\n\n", "NUL": b"print\n\0", "NUL before": b"print\n\0{}",
    "NUL behind": b"print\n{}\0", "NUL in a text": b'print\n{"a":"b\\u0000c"}', "half a map": b'print\n{"a":"b"',
    "half a text": b'print\n["web', "two answers": b"print\n{}{}", "no JSON": b"print\nERROR oops", "not UTF-8":
    b'print\n{"a":"\xff\xfe"}', "a number": b"print\n12", "a huge number": b"print\n1e999999", "a list of numbers":
    b"print\n[1,2]", "a list of lists": b"print\n[[],{}]", "a map in a list": b'print\n[{"a":1}]',
    "deep lists": b"print\n" + b"[" * 200000, "deep maps": b"print\n" + b'{"a":' * 100000,
    "deep and closed": b"print\n" + b"[" * 50000 + b"]" * 50000, "gigabytes": b"flood\n",
    "a signal": b"signal 11\n", "killed": b"signal 9\n",
}
# State that is damaged, or a newer charm's: refused in words, and never overwritten.
STATES = {
    "it is damaged": [
        '{"charm/0":"x"}', '{"charm/0":"[]"}', '{"charm/0":"{}"}',
        r'{"charm/0":"{\"chunks\":1,\"format\":1,\"sha256\":\"00\"}","charm/1":"{}"}',
        r'{"charm/0":"{\"chunks\":99999999999,\"format\":1}"}', r'{"charm/0":"{\"chunks\":-1,\"format\":1}"}',
        r'{"ledger/0":"{\"chunks\":2,\"format\":1,\"sha256\":\"\"}"}',
    ],
    "a newer charm wrote it": [r'{"charm/0":"{\"chunks\":1,\"format\":2,\"sha256\":\"\"}"}',
                               r'{"ledger/0":"{\"format\":99}"}'],
}
# Refused reads of relations are "unknown", not an error (architecture, decision 6): nothing may be written there.
REFUSALS = {"exit 1": b"exit 1\nERROR permission denied\n", "exit 2": b"exit 2\nERROR relation not found\n",
            "exit 3, ugly": b"exit 3\n\xff\xfe\0\x1b[31mpanic\ngoroutine 1:\n" + b"x" * 100000}


worker = stage.Worker()


def open_stage(charm):
    return stage.Stage(TOOL, {"ledger": LEDGER, "hello": HELLO, "connect": CONNECT}[charm], charm, worker)


def clean(done):
    """No crash, and nothing that a sanitizer printed."""
    text = (done.stdout + done.stderr).decode(errors="replace")
    if "Sanitizer" in text or "runtime error" in text or done.returncode < 0:
        return ["crashed: " + text[-3000:]]
    return []


def errors_of(calls):
    return [call for call in calls if call.startswith("juju-log -l ERROR")]


def is_text(line):
    """No byte that is not UTF-8 (stage.py hands it on as a surrogate), no control character."""
    return not any("\udc80" <= c <= "\udcff" or c < " " for c in line)


def check(case):
    charm, tool, what, text, action = case
    on_tool, tool = tool, next(name for name in TOOLS if tool.startswith(name))
    refused = what.startswith("exit") and tool.startswith(("relation-", "network-get")) and tool not in WRITES
    on = open_stage(charm)
    on.script(on_tool, text)
    # config-changed looks at Kafka, and there is none
    done, calls = on.run("update-status" if charm == "connect" else "config-changed", action)
    on.close()
    wrong = clean(done)
    errors = errors_of(calls)
    if refused:
        if done.returncode != 0:
            wrong.append(f"exit {done.returncode}: {errors}")
        # The real charm has published all: whatever it cannot read, it takes nothing back.
        endpoint = "" if charm == "connect" else "cluster" if on_tool.endswith("cluster") else "website"
        if any(call.startswith("relation-set -r " + endpoint) for call in calls):
            wrong.append("published although the relation is unknown: " + "; ".join(calls))
        return wrong
    if done.returncode != 1:
        wrong.append(f"exit {done.returncode}")
    words = what if what in STATES else tool
    if len(errors) != 1 or words not in errors[0] or len(errors[0]) > 1200 or not is_text(errors[0]):
        wrong.append(f"not one clear line: {errors}")
    # What is written comes after all that is read; a tool that writes fails the run as well.
    later = [call for call in calls if call.startswith(WRITES) and not call.startswith(tool)]
    if tool not in WRITES and later:
        wrong.append("wrote " + "; ".join(later))
    return wrong


# Enough of the real charm: the engine behind it is the small charms' too.
REAL = ("nothing", "NUL behind", "NUL in a text", "half a map", "not UTF-8", "a number", "a list of lists", "deep and closed",
        "gigabytes", "a signal", "exit 1", "exit 2")


def real_cases():
    for line in stage.recorded(0):
        if line.endswith("connect%0"):
            continue  # its own bags, read only after a write
        if line.startswith("action-get"):
            yield from (("connect", line, what, ANSWERS[what], "describe-connector") for what in ("half a map", "a number"))
            continue
        for what in REAL:
            yield "connect", line, what, {**ANSWERS, **REFUSALS}[what], ""
    for tool in ("state-set", "status-set", "application-version-set"):
        for what in ("a signal", "gigabytes", "exit 1"):
            yield "connect", tool, what, {**ANSWERS, **REFUSALS}[what], ""


def check_good():
    """On right answers the charms do well; else the cases would show nothing."""
    wrong = []
    for charm, action in (("ledger", ""), ("ledger", "close"), ("hello", "greet"), ("connect", ""), ("connect", "list-connectors")):
        on = open_stage(charm)
        done, calls = on.run("update-status", action)
        on.close()
        if done.returncode != 0 or errors_of(calls) or not any(call.startswith(WRITES) for call in calls):
            wrong.append(f"{charm} {action}, right answers: exit {done.returncode}: " + "; ".join(calls))
    return wrong


def check_kept_states():
    """The real charm runs on the state of each format that there ever was, and keeps its own in the present one."""
    wrong = []
    folder = os.path.join(stage.ROOT, "tests/data/state")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            state = file.read()
        on = open_stage("connect")
        on.script("state-get --format=json", b"print\n" + state)
        # It is long ago that it looked at Kafka, and there is none.
        on.script("relation-get --format=json -r kafka:1 - kafka%0", b'print\n{"host":"127.0.0.1","port":"1"}')
        done, calls = on.run("update-status")
        on.close()
        wrong += clean(done)
        if done.returncode != 0 or errors_of(calls) or "state-set --file -" not in calls:
            wrong.append(f"{name}: exit {done.returncode}: " + "; ".join(calls))
    return wrong


def cases():
    if WHICH == "all":
        yield from real_cases()
    reads = [("ledger", tool, "") for tool in GOOD if tool not in ("network-get", "action-get")]
    reads += [("hello", "network-get", ""), ("hello", "action-get", "greet"), ("ledger", "state-get", "close")]
    for charm, tool, action in reads:
        if WHICH == "slow":
            continue
        for what, text in {**ANSWERS, **REFUSALS}.items():
            yield charm, tool, what, text, action
    for tool, names in NAMES.items():
        for text in names if WHICH != "slow" else []:
            yield "ledger", tool, f"{text.decode()}", b"print\n" + text, ""
    for what, texts in STATES.items():
        for text in texts if WHICH != "slow" else []:
            yield "ledger", "state-get", what, b"print\n" + text.encode(), ""
            yield "ledger", "state-get", what, b"print\n" + text.encode(), "close"
    for tool in WRITES:
        action = "close" if tool == "action-set" else ""
        if WHICH != "slow":
            for what in ("a signal", "killed", "gigabytes"):
                yield "ledger", tool, what, ANSWERS[what], action
            for what, text in REFUSALS.items():
                yield "ledger", tool, what, text, action
    if WHICH == "slow":
        for tool in ("state-get", "relation-get", "state-set"):
            yield "ledger", tool, "no end", b"hang\n", ""
        yield "connect", "config-get --format=json --all", "no end", b"hang\n", ""


def main():
    wrong = check_good() + check_kept_states() if WHICH == "all" else []
    for line in wrong:
        print(line)
    failed = len(wrong)
    all_cases = list(cases())
    with ThreadPoolExecutor(4) as pool:
        for case, wrong in zip(all_cases, pool.map(check, all_cases)):
            if wrong:
                failed += 1
                print(f"{case[0]} {case[4]} {case[1]}, {case[2]}: " + "; ".join(wrong), flush=True)
    print(f"{len(all_cases)} cases, {failed} of them wrong")
    return 1 if failed else 0


sys.exit(main())
