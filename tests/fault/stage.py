"""A unit's directory with hook tools that answer from files, and a worker's REST port: what the programs of this
directory's tests run in. `hostile_tool.c` plays the tools.

The charm `connect` is the real one; its answers are those of the recorded steady run (tools/bench/recordings), with
the worker on this machine's loopback. `ledger` and `hello` have few answers and no worker.
"""
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RECORDING = os.path.join(ROOT, "tools/bench/recordings/with-a-worker")
TOOLS = ("state-get state-set config-get is-leader relation-ids relation-list relation-get relation-set status-set "
         "application-version-set network-get action-get action-set action-fail action-log juju-log").split()
WRITES = ("state-set", "relation-set", "status-set", "application-version-set", "action-set")
# What a well-meaning Juju answers to the small charms.
GOOD = {
    "state-get": "{}", "config-get": '{"name":"books","port":80,"greeting":"Hi","trace":false}', "is-leader": "true",
    "relation-ids-website": '["website:1"]', "relation-ids-cluster": '["cluster:0"]', "relation-list": '["website/0"]',
    "relation-get": "{}", "network-get": '"10.0.0.1"', "action-get": "{}",
}


class Worker(http.server.ThreadingHTTPServer):
    """The recorded worker. What is written to it is accepted and forgotten."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.answers = {}
        for name in os.listdir(os.path.join(RECORDING, "rest")):
            with open(os.path.join(RECORDING, "rest", name), "rb") as file:
                self.answers[name.replace("%", "/")] = file.read()
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.answers.get(f"{self.command} {self.path}")
        if answer is None:
            answer = b'{"configs":[],"error_count":0}' if self.path.endswith("validate") else body
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


def seal(state, owner, document):
    """A document as the unit's state holds it."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    state[f"{owner}/0"] = json.dumps({"chunks": 1, "format": 1, "sha256": hashlib.sha256(text.encode()).hexdigest()})
    state[f"{owner}/1"] = text


def recorded(port):
    """Answers by whole command line, of a unit that looked at Kafka just now."""
    answers = {}
    folder = os.path.join(RECORDING, "answers")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            answers[name] = file.read().replace("@HOST@", "127.0.0.1").replace("@PORT@", str(port))
    state = json.loads(answers["state-get --format=json"])
    layer = json.loads(state["kafka-connect-base/1"])
    layer["topics"]["seen_ms"] = int(time.time() * 1000)
    seal(state, "kafka-connect-base", layer)
    answers["state-get --format=json"] = json.dumps(state)
    answers["action-get --format=json"] = '{"name":"read-words"}'
    return answers


class Stage:
    """A charm's directory, the tools, and what they were told to answer."""

    def __init__(self, tool, program, charm, worker=None):
        self.unit = charm + "/0"
        self.folder = tempfile.mkdtemp(prefix="kcb-fault-")
        self.charm = os.path.join(self.folder, "charm")
        self.tools = os.path.join(self.folder, "tools")
        self.scripts = os.path.join(self.folder, "scripts")
        for folder in (self.charm, self.tools, self.scripts):
            os.mkdir(folder)
        beside = os.path.dirname(program)
        files = {"connect": ROOT, "hello": beside}.get(charm, os.path.dirname(beside))
        for name in ("metadata.yaml", "config.yaml", "actions.yaml"):
            shutil.copy(os.path.join(files, name), self.charm)
        os.symlink(program, os.path.join(self.charm, "dispatch"))
        for name in TOOLS:
            os.symlink(tool, os.path.join(self.tools, name))
        for line, text in (recorded(worker.port) if charm == "connect" else GOOD).items():
            self.script(line, b"print\n" + text.encode() + b"\n")

    def script(self, line, text):
        with open(os.path.join(self.scripts, line), "wb") as file:
            file.write(text)

    def run(self, hook, action="", **more):
        """The process as it ended, and the command lines of the tools that it called."""
        environment = {
            "PATH": self.tools, "FAKE_TOOLS": self.scripts, "JUJU_CONTEXT_ID": "x-1", "JUJU_UNIT_NAME": self.unit,
            "JUJU_CHARM_DIR": self.charm, "JUJU_HOOK_NAME": "" if action else hook, "JUJU_MODEL_NAME": "demo",
            "JUJU_MODEL_UUID": "1e3c06f7-8ab2-4d9c-8c3d-2f1f4a0c7e55", **more,
        }
        if action:
            environment["JUJU_ACTION_NAME"] = action
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        done = subprocess.run([os.path.join(self.charm, "dispatch")], env=environment, capture_output=True,
                              stdin=subprocess.DEVNULL, cwd=self.charm, timeout=500)
        try:
            with open(os.path.join(self.scripts, "calls"), encoding="utf-8", errors="surrogateescape") as file:
                calls = file.read().splitlines()
        except FileNotFoundError:
            calls = []
        return done, calls

    def close(self):
        shutil.rmtree(self.folder)
