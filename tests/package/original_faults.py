"""original_faults.py ROOT: docs/original-faults.md tells each of the 48 faults once, and what it names is there."""
import pathlib
import re
import sys

FAULTS = 48


def read_table(path):
    """Rows as (number, words of the two middle columns, what shows it)."""
    rows = []
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"\| *\d+ *\|.*", line):
            if len(cells) != 4:
                sys.exit(f"{path}: row {cells[0]} has {len(cells)} columns, not 4")
            rows.append((int(cells[0]), cells[1:3], re.findall(r"`([^`]+)`", cells[3])))
    return rows


def missing(root, number, shown):
    """Why `shown` shows nothing of fault `number`; None: it is there."""
    path, _, test = (part.strip() for part in shown.partition(":"))
    if path.startswith("original-"):
        if not path.startswith(f"original-{number:02}-"):
            return f"{path} bears another number"
        path = f"tests/scenario/{path}"
    file = root / path
    if not file.is_file():
        return f"{path} is not there"
    if test and not re.search(rf"\bTEST\({test}\)|\bcmocka_unit_test\w*\({test}\b|\bROW\({test}\)", file.read_text()):
        return f"{path} runs no test {test}"
    return None


def problems(root):
    rows = read_table(root / "docs/original-faults.md")
    numbers = [number for number, _, _ in rows]
    for number in sorted(set(numbers) | set(range(1, FAULTS + 1))):
        if numbers.count(number) != 1 or number > FAULTS:
            yield f"fault {number} has {numbers.count(number)} rows"
    named = set()
    for number, words, shown in rows:
        named.update(shown)
        if not all(words) or not shown:
            yield f"fault {number}: an empty column"
        for one in shown:
            why = missing(root, number, one)
            if why is not None:
                yield f"fault {number}: {why}"
    for file in sorted((root / "tests/scenario").glob("original-*.yaml")):
        if file.name not in named:
            yield f"{file.name} is in no row"


root = pathlib.Path(sys.argv[1])
found = list(problems(root))
for problem in found:
    print(problem)
print(f"{FAULTS} faults, {len(found)} problems")
sys.exit(1 if found else 0)
