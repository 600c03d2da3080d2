"""layers.py ROOT: every #include is allowed by the module table of ARCHITECTURE.md."""
import pathlib
import re
import sys

C_STANDARD = set(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg "
    "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype".split()
)
# A word of the table, and the headers that it stands for.
LIBRARIES = {"jansson": "jansson.h", "libyaml": "yaml.h", "curl": "curl/", "librdkafka": "librdkafka/", "openssl": "openssl/"}
# What every module may see: the promises that it implements or stands on.
PROMISES = {"base": ["include/charm"], "charm": ["include/charm"], "kcb": ["include/charm", "include/kcb"],
            "edge/juju": ["include/charm"], "edge/kcb": ["include/charm", "include/kcb"], "lab": ["include/charm"], "lab/skin": []}
PLACES = {"include/charm": "include/charm", "include/kcb": "include/kcb", "base": "src/base", "charm": "src/charm",
          "kcb": "src/kcb", "edge/juju": "src/edge/juju", "edge/kcb": "src/edge/kcb", "lab": "lab", "lab/skin": "lab",
          "main": "src/main.c"}
# A module that is some files of another's folder: how their names begin.
PART = {"lab/skin": "skin"}


def read_table(path):
    """Module name -> words of its last column."""
    table = {}
    rows = re.search(r"^\| module \| one line \| may include \|\n\|[-|]+\|\n((?:\|.*\n)+)", path.read_text(), re.M)
    if rows is None:
        sys.exit(f"{path} has no table of modules")
    for line in rows.group(1).splitlines():
        names, _, may = [cell.strip() for cell in line.strip("|").split("|")]
        for name in names.split(","):
            table[name.strip()] = [word.strip() for word in re.split("[,;]", may)]
    if set(table) != set(PLACES):
        sys.exit(f"modules of {path}: {sorted(set(table) ^ set(PLACES))} are not known to this test, or missing")
    return table


def allowed(module, words):
    """(folders, third-party prefixes, whether any header of the system) that a module may include."""
    folders, libraries, system = {PLACES[module], *PROMISES.get(module, [])}, set(), False
    for word in words:
        if word in ("libc", "POSIX"):
            system = True
        elif word in LIBRARIES:
            libraries.add(LIBRARIES[word])
        elif word in PLACES:
            folders.add(PLACES[word])
        elif word == "kcb may include charm":
            folders |= {"include/charm"} if module == "include/kcb" else set()
        elif word == "ports":
            folders |= {"include/charm", "include/kcb"}
        elif word in ("charm's ports", "kcb's ports"):
            folders.add("include/" + word.split("'")[0])
        elif word != "C standard headers":
            sys.exit(f"ARCHITECTURE.md: {module} may include '{word}', which this test does not understand")
    return folders, libraries, system


def files_of(root, module):
    """The module's own files: of a folder, without those of a module that is a part of it."""
    parts = [start for part, start in PART.items() if PLACES[part] == PLACES[module] and part != module]
    for path in sorted((root / PLACES[module]).glob(PART.get(module, "") + "*.[ch]")):
        if not any(path.name.startswith(start) for start in parts):
            yield path


def folder_of(root, path, name):
    """The folder that a quoted include is found in, relative to the root."""
    for base in (root / "include", root / "src", root, path.parent):
        if (base / name).is_file():
            return str((base / name).resolve().relative_to(root).parent)
    return None


def differs(root, path, include, rules):
    folders, libraries, system = rules
    if include.startswith('"'):
        folder = folder_of(root, path, include.strip('"'))
        return folder not in folders
    name = include.strip("<>")
    for prefix in LIBRARIES.values():
        if name == prefix or (prefix.endswith("/") and name.startswith(prefix)):
            return prefix not in libraries
    return not system and name.removesuffix(".h") not in C_STANDARD


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    found, files = [], 0
    for module, words in read_table(root / "ARCHITECTURE.md").items():
        if words == ["everything"]:
            continue
        rules = allowed(module, words)
        for path in files_of(root, module):
            files += 1
            for include in re.findall(r'^\s*#\s*include\s+([<"][^>"]+[>"])', path.read_text(), re.M):
                if differs(root, path, include, rules):
                    found.append(f"{path.relative_to(root)}: {include} (module {module} may include: {', '.join(words)})")
    print("\n".join(found))
    print(f"{files} files, {len(found)} includes that ARCHITECTURE.md does not allow")
    sys.exit(1 if found or files == 0 else 0)


main()
