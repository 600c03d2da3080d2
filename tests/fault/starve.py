#!/usr/bin/env python3
"""starve.py TOOL STARVED [all|N]: allocations of representative runs of the real charm fail, each once (starve.c):
every 8th, or all of them (some 16,000, minutes), or every N-th.

Where we, jansson, libyaml, libcurl or OpenSSL ask for memory, the process must end at once with the exit code of its
own, one line on standard error and nothing else. Where the C library asks, it may also cope: then the run goes on, or
fails with one line of words. Nothing is committed by a process that does not exit with 0, no signal may end one, and no
sanitizer may have a word.
"""
import collections
import os
import sys

import stage

TOOL, STARVED = sys.argv[1:3]
EVERY = int({"all": "1"}.get(sys.argv[3], sys.argv[3])) if len(sys.argv) > 3 else 8
NO_MEMORY = 12
LINE = "out of memory; nothing was committed|"
# Whose allocations need not end the process at once.
OTHERS = ("libc.so", "ld-linux")
RUNS = [("update-status", ""), ("", "describe-connector")]


def starve(hook, action, worker):
    """Lines of the report, each a list of its fields; and what is wrong with the run that had memory."""
    on = stage.Stage(TOOL, STARVED, "connect", worker)
    report = os.path.join(on.folder, "report")
    done, _ = on.run(hook, action, STARVE=report, STARVE_EVERY=str(EVERY))
    with open(report, encoding="utf-8", errors="replace") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    on.close()
    return lines, [] if done.returncode == 0 else [f"exit {done.returncode}: {done.stderr.decode()[-500:]}"]


def judge(fields, action):
    number, module, offset, code, size, words = fields
    where = f"allocation {number}, {module}+0x{offset}: exit {code}, {size} bytes: {words}"
    if int(code) == NO_MEMORY:
        return None if words == LINE and int(size) == len(LINE) else where
    if not module.startswith(OTHERS) or int(code) not in (0, 1) or "Sanitizer" in words or "runtime error" in words:
        return where
    # An action also tells its story there.
    one_line = ("|" + words).count("|ERROR ") == 1 and (action or words.count("|") == 1)
    return None if one_line or int(code) == 0 and (action or size == "0") else where


def main():
    worker = stage.Worker()
    wrong = []
    table = collections.Counter()
    for hook, action in RUNS:
        lines, failed = starve(hook, action, worker)
        wrong += failed
        if len(lines) < 4000 // EVERY:
            wrong.append(f"{hook}{action}: only {len(lines)} allocations")
        for fields in lines:
            table[fields[1], int(fields[3])] += 1
            fault = judge(fields, action)
            if fault:
                wrong.append(fault)
    for (module, code), count in sorted(table.items()):
        print(f"{module:28} exit {code:3} {count:6} times")
    for line in wrong[:40]:
        print(line)
    print(f"{sum(table.values())} allocations, {len(wrong)} of them wrong")
    return 1 if wrong else 0


sys.exit(main())
