#!/usr/bin/env python3
"""hostile.py TOOL LEDGER HELLO (all|slow): charms whose hook tools answer what Juju never would: nothing, half an
answer, another type, NUL, deep nesting, gigabytes, exit codes, signals, no end. Each time the real process must say one
clear line that names the tool, exit with 1 and write nothing; and no sanitizer may have a word. `slow` plays the tools
that never end, which takes the minute that a tool is given.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TOOL, LEDGER, HELLO, WHICH = sys.argv[1:5]
TOOLS = ("state-get state-set config-get is-leader relation-ids relation-list relation-get relation-set status-set "
         "application-version-set network-get action-get action-set action-fail action-log juju-log").split()
WRITES = ("state-set", "relation-set", "status-set", "application-version-set", "action-set")
# What a well-meaning Juju answers.
GOOD = {
    "state-get": "{}", "config-get": '{"name":"books","port":80,"greeting":"Hi","trace":false}', "is-leader": "true",
    "relation-ids-website": '["website:1"]', "relation-ids-cluster": '["cluster:0"]', "relation-list": '["website/0"]', "relation-get": "{}",
    "network-get": '"10.0.0.1"', "action-get": "{}",
}
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


class Stage:
    """A charm's directory, the tools, and what they were told to answer."""

    def __init__(self, program, files):
        self.folder = tempfile.mkdtemp(prefix="kcb-hostile-")
        self.charm = os.path.join(self.folder, "charm")
        self.tools = os.path.join(self.folder, "tools")
        self.scripts = os.path.join(self.folder, "scripts")
        for folder in (self.charm, self.tools, self.scripts):
            os.mkdir(folder)
        for name in files:
            shutil.copy(os.path.join(files[name], name), self.charm)
        os.symlink(program, os.path.join(self.charm, "dispatch"))
        for tool in TOOLS:
            os.symlink(TOOL, os.path.join(self.tools, tool))
        for tool, text in GOOD.items():
            self.script(tool, b"print\n" + text.encode() + b"\n")

    def script(self, tool, text):
        with open(os.path.join(self.scripts, tool), "wb") as file:
            file.write(text)

    def run(self, unit, hook, action=""):
        environment = {
            "PATH": self.tools, "FAKE_TOOLS": self.scripts, "JUJU_CONTEXT_ID": "x-1", "JUJU_UNIT_NAME": unit,
            "JUJU_CHARM_DIR": self.charm, "JUJU_HOOK_NAME": hook, "JUJU_MODEL_NAME": "m",
        }
        if action:
            environment["JUJU_ACTION_NAME"] = action
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        done = subprocess.run([os.path.join(self.charm, "dispatch")], env=environment, capture_output=True,
                              stdin=subprocess.DEVNULL, cwd=self.charm, timeout=200)
        try:
            with open(os.path.join(self.scripts, "calls"), encoding="utf-8", errors="replace") as file:
                calls = file.read().splitlines()
        except FileNotFoundError:
            calls = []
        return done, calls

    def close(self):
        shutil.rmtree(self.folder)


def stage(charm):
    program = {"ledger": LEDGER, "hello": HELLO}[charm]
    folder = os.path.dirname(program)
    if charm == "ledger":
        folder = os.path.dirname(folder)
    return Stage(program, {name: folder for name in ("metadata.yaml", "config.yaml", "actions.yaml")})


def clean(done):
    """No crash, and nothing that a sanitizer printed."""
    text = (done.stdout + done.stderr).decode(errors="replace")
    if "Sanitizer" in text or "runtime error" in text or done.returncode < 0:
        return ["crashed: " + text[-3000:]]
    return []


def errors_of(calls):
    return [call for call in calls if call.startswith("juju-log -l ERROR")]


def check(case):
    charm, tool, what, text, action = case
    on_tool, tool = tool, next(name for name in TOOLS if tool.startswith(name))
    refused = what.startswith("exit") and tool.startswith(("relation-", "network-get")) and tool not in WRITES
    on = stage(charm)
    on.script(on_tool, text)
    done, calls = on.run(charm + "/0", "" if action else "config-changed", action)
    on.close()
    wrong = clean(done)
    errors = errors_of(calls)
    if refused:
        if done.returncode != 0:
            wrong.append(f"exit {done.returncode}: {errors}")
        endpoint = "cluster" if on_tool.endswith("cluster") else "website"
        if any(call.startswith("relation-set -r " + endpoint) for call in calls):
            wrong.append("published although the relation is unknown: " + "; ".join(calls))
        return wrong
    if done.returncode != 1:
        wrong.append(f"exit {done.returncode}")
    words = what if what in STATES else tool
    if len(errors) != 1 or words not in errors[0] or len(errors[0]) > 1200:
        wrong.append(f"not one clear line: {errors}")
    # What is written comes after all that is read; a tool that writes fails the run as well.
    later = [call for call in calls if call.startswith(WRITES) and not call.startswith(tool)]
    if tool not in WRITES and later:
        wrong.append("wrote " + "; ".join(later))
    return wrong


def cases():
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


def main():
    failed = 0
    all_cases = list(cases())
    with ThreadPoolExecutor(4) as pool:
        for case, wrong in zip(all_cases, pool.map(check, all_cases)):
            if wrong:
                failed += 1
                print(f"{case[0]} {case[4]} {case[1]}, {case[2]}: " + "; ".join(wrong), flush=True)
    print(f"{len(all_cases)} cases, {failed} of them wrong")
    return 1 if failed else 0


sys.exit(main())
