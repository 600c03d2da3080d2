#!/usr/bin/env python3
"""every_point.py LAB CHARM PROGRAM [all|POINT]: one life of the charm `ledger`, again for every point at which it can be
disturbed: before and after each hook tool call of each hook, at its exit, its commit refused, and its state committed
with the relations refused. Each life must end in the same place as the undisturbed one, and then be steady.

Without a further word every fourth point is played; `all` takes minutes. With POINT (STEP:HOOK:FAULT:N, as a failure
prints it) only that one is played.
"""
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time

LAB, CHARM, PROGRAM = sys.argv[1:4]
UNIT = "ledger/0"
# A run of update-status when nothing is new: architecture, decision 3.
STEADY = [
    "state-get --format=json",
    "relation-ids --format=json cluster",
    "relation-get --format=json -r cluster:0 --app - ledger",
    "is-leader --format=json",
    "config-get --format=json --all",
    "relation-ids --format=json website",
    "relation-list --format=json -r website:1",
    "relation-get --format=json -r website:1 - website/0",
]
WRITERS = ("relation-set", "state-set", "status-set", "application-version-set", "action-set")


def lab(*words, check=True):
    done = subprocess.run([LAB, *words], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"lab {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def hooks():
    return json.loads(lab("hooks", "--unit", UNIT, "--format", "json"))


def agent_status():
    units = json.loads(lab("status", "--format", "json"))["applications"]["ledger"]["units"]
    return units[UNIT]


def settle():
    """Until the unit is idle; a hook in error is run again, as Juju does."""
    for _ in range(300):
        unit = agent_status()
        if unit["juju-status"]["current"] == "idle" and unit["workload-status"]["current"] != "error":
            return
        if unit["workload-status"]["current"] == "error" and unit["juju-status"]["current"] != "executing":
            lab("resolved", UNIT, check=False)
        time.sleep(0.02)
    raise AssertionError("the unit does not come to rest:\n" + lab("debug-log", "-n", "20"))


class Life:
    """The steps of one life. A fault is planned before its step and strikes the hook of its name."""

    STEPS = ["install", "relate", "config", "action", "update-status", "upgrade"]

    def __init__(self, folder):
        self.charm = os.path.join(folder, "charm")
        self.gate = os.path.join(folder, "gate")
        make_charm(self.charm, self.gate)

    def start(self):
        lab("start", "--model", "demo", "--no-retry", "--net", "loopback", "--update-status", "24h")
        lab("deploy", "website")
        # The first hook fails until the gate is open, so that a fault can be planned for it.
        lab("deploy", self.charm, "ledger")
        for _ in range(400):
            if agent_status()["workload-status"]["current"] == "error":
                return
            time.sleep(0.01)
        raise AssertionError("install did not wait for the gate")

    def install(self):
        open(self.gate, "w").close()
        lab("resolved", UNIT)

    def relate(self):
        lab("relate", "ledger:website", "website")

    def config(self):
        lab("config", "ledger", "name=accounts")

    def action(self):
        # An action that dies has failed; its caller asks again.
        for _ in range(2):
            done = subprocess.run([LAB, "run", UNIT, "close"], capture_output=True)
            settle()
            if done.returncode == 0:
                break

    def update_status(self):
        lab("update-status", UNIT)

    def upgrade(self):
        lab("refresh", "ledger", "--path", self.charm)

    def do(self, step):
        getattr(self, step.replace("-", "_"))()
        settle()


def end_of_life():
    """What is there in the end, without what is random (salt) or says which run it was."""
    shown = json.loads(lab("show-unit", UNIT, "--format", "json"))[UNIT]
    state = {}
    for key, text in shown.get("state", {}).items():
        if key.endswith("/1"):
            state[key] = json.loads(text)
    engine = state.get("charm/1", {})
    engine.pop("salt", None)
    engine["seen"] = sorted(engine.get("seen", {}).get("config", {}))
    engine["published"] = {k: sorted(v) for k, v in engine.get("published", {}).items()}
    website = json.loads(lab("status", "--format", "json"))["applications"]["website"]
    return {
        "bags": shown["relation-info"],
        "state": state,
        "status": agent_status()["workload-status"]["current"] + ": "
        + agent_status()["workload-status"]["message"],
        "website": website["application-status"]["message"],
    }


def steady_calls():
    """The calls of an update-status after two others."""
    for _ in range(3):
        lab("update-status", UNIT)
        settle()
    return [call["tool"] for call in hooks()[-1]["calls"]]


def one_more_visitor():
    lab("add-unit", "website")
    settle()
    return steady_calls()


def live(point=None):
    """One life. Returns its end, the hooks of each step, the calls of a steady run, and those with one visitor more."""
    folder = tempfile.mkdtemp(prefix="kcb-fault-")
    os.environ["LAB_DIR"] = os.path.join(folder, "lab")
    by_step = {}
    try:
        life = Life(folder)
        life.start()
        for step in Life.STEPS:
            before = len(hooks())
            if point is not None and point[0] == step:
                _, hook, fault, number = point
                words = [fault] + ([str(number)] if number else [])
                lab("fault", UNIT, *words, "--hook", hook)
            life.do(step)
            by_step[step] = hooks()[before:]
        calls = steady_calls()
        return end_of_life(), by_step, calls, one_more_visitor() if point is None else None
    finally:
        lab("stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def make_charm(folder, gate):
    os.makedirs(os.path.join(folder, "bin"))
    for name in ("metadata.yaml", "config.yaml", "actions.yaml"):
        shutil.copy(os.path.join(CHARM, name), folder)
    shutil.copy(PROGRAM, os.path.join(folder, "bin/ledger"))
    dispatch = os.path.join(folder, "dispatch")
    with open(dispatch, "w") as file:
        file.write(f"#!/bin/sh\n[ -e '{gate}' ] || exit 1\nexec bin/ledger\n")
    os.chmod(dispatch, 0o755)


def points_of(by_step):
    """Every point of every hook; a name that comes twice in a step is struck the first time."""
    for step, runs in by_step.items():
        seen = set()
        for run in runs:
            if run["name"] in seen:
                continue
            seen.add(run["name"])
            for fault in ("refuse-commit", "state-only", "kill-at-exit"):
                yield (step, run["name"], fault, 0)
            for number, call in enumerate(run["calls"], 1):
                # Between two reads nothing has happened: one death there is like another.
                writes = call["tool"].split()[0] in WRITERS
                if writes or number == 1:
                    yield (step, run["name"], "kill-before", number)
                if writes:
                    yield (step, run["name"], "kill-after", number)


def different(expected, found):
    lines = []
    for key in expected:
        if expected[key] != found[key]:
            lines.append(f"    {key}: expected {json.dumps(expected[key], sort_keys=True)}\n"
                         f"    {key}: found    {json.dumps(found[key], sort_keys=True)}")
    return "\n".join(lines)


def check_calls(calls, more):
    """The list of decision 3 and 11, and that each further remote unit costs one relation-get."""
    wrong = 0
    if calls != STEADY:
        print("the steady run calls\n    " + "\n    ".join(calls))
        wrong += 1
    if more != STEADY + ["relation-get --format=json -r website:1 - website/1"]:
        print("with one visitor more the steady run calls\n    " + "\n    ".join(more))
        wrong += 1
    return wrong


def play(arguments):
    """What is wrong with the end of a life with this point; empty: nothing."""
    point, expected = arguments
    try:
        found, _, calls, _ = live(point)
        wrong = different(expected, found)
        if calls != STEADY:
            wrong += "\n    not steady in the end: " + "; ".join(calls)
        return wrong
    except AssertionError as error:
        return f"    {error}"


def main():
    started = time.time()
    expected, by_step, calls, more = live()
    failed = check_calls(calls, more)
    points = list(points_of(by_step))
    if len(sys.argv) == 4:
        points = points[::4]
    elif sys.argv[4] != "all":
        step, hook, fault, number = sys.argv[4].split(":")
        points = [(step, hook, fault, int(number))]
    with multiprocessing.Pool(min(4, 2 * (os.cpu_count() or 1))) as pool:
        ends = pool.imap(play, [(point, expected) for point in points])
        for point, wrong in zip(points, ends):
            if wrong:
                failed += 1
                print(":".join(map(str, point)) + ":\n" + wrong, flush=True)
    print(f"{len(points)} points, {failed} of them wrong, {time.time() - started:.0f} s")
    return 1 if failed else 0


sys.exit(main())
