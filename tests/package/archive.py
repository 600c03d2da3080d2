"""archive.py ARCHIVE CHARM: the packed charm has the names, links and modes that Juju's reader wants."""
import os
import pathlib
import posixpath
import stat
import subprocess
import sys
import tempfile
import zipfile

PROGRAM = "bin/kafka-connect-base"
FILES = ["metadata.yaml", "config.yaml", "actions.yaml", "layer.yaml", "manifest.yaml", "README.md", "LICENSE",
         "copyright", "version", PROGRAM]
LARGEST = 15_000_000


def target_of(archive, entry):
    """Where a link leads inside the archive, or None for what is no link."""
    if not stat.S_ISLNK(entry.external_attr >> 16):
        return None
    return archive.read(entry).decode()


def complaints(path, charm):
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        links = {name: target_of(archive, entry) for name, entry in entries.items()}
    for name, entry in entries.items():
        mode = entry.external_attr >> 16
        if name.startswith(("./", "/")) or ".." in name.split("/"):
            yield f"{name}: Juju's reader does not find such a name"
        if name.startswith("hooks/"):
            yield f"{name}: the archive is to have no hooks/ (docs/decisions/008-packed-charm.md)"
        if links[name] is not None:
            leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(name), links[name]))
            if leads_to != PROGRAM:
                yield f"{name}: leads to {links[name]}, not to {PROGRAM}"
        elif not name.endswith("/") and stat.S_IMODE(mode) != (0o755 if name == PROGRAM else 0o644):
            yield f"{name}: mode is {stat.S_IMODE(mode):o}"
    for name in FILES:
        if name not in entries or links[name] is not None:
            yield f"{name}: is not there as a file"
    for name in ["dispatch"] + [f"actions/{action}" for action in os.listdir(charm / "actions")]:
        if links.get(name) is None:
            yield f"{name}: is not there as a link"
    inside = {name.rstrip("/") for name in entries}
    beside = {str(file.relative_to(charm)) for file in charm.rglob("*")} - {"hooks"}
    for name in sorted(inside ^ {name for name in beside if not name.startswith("hooks/")}):
        yield f"{name}: is in only one of archive and directory"
    if path.stat().st_size > LARGEST:
        yield f"it has {path.stat().st_size} bytes; at most {LARGEST}"


def starts(path):
    """Unpacked by a tool that knows nothing of us, its dispatch answers with the version that is packed."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["unzip", "-q", str(path), "-d", folder], check=True)
        version = pathlib.Path(folder, "version").read_text().strip()
        answer = subprocess.run([f"{folder}/dispatch", "--version"], capture_output=True, text=True, check=False)
        return answer.returncode == 0 and answer.stdout.startswith(f"kafka-connect-base {version}\n")


def main():
    path, charm = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not path.is_file():
        sys.exit(f"there is no {path}: cmake --build --preset release")
    found = list(complaints(path, charm))
    if not starts(path):
        found.append("unpacked, its dispatch --version does not answer with the version inside")
    print("\n".join(found))
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {len(found)} complaints")
    sys.exit(1 if found else 0)


main()
