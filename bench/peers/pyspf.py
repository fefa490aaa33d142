"""pyspf as a measured program: `pyspf.py FOLDER`, with the files and the protocol of
quivive-bench-measure. All answers come from memory."""

import pathlib
import sys
import time

import spf


def read(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


folder = pathlib.Path(sys.argv[1])
records = {}
for name, kind, _, *texts in read(folder / "answers.tsv"):
    if kind == "MX":
        values = [(int(text.split(" ")[0]), text.split(" ")[1]) for text in texts]
    elif kind == "TXT":
        values = [(text.encode(),) for text in texts]
    else:
        values = texts
    records[name, kind] = [((name, kind), value) for value in values]
groups = []
while (file := folder / f"queries-{len(groups)}.tsv").exists():
    groups.append(read(file))


def look_up(name, kind, *_):
    return records.get((name.lower().rstrip("."), kind), [])


spf.DNSLookup = look_up


def measured_pass(group):
    right = 0
    for address, helo, sender, expected in group:
        right += spf.check2(i=address, s=sender, h=helo)[0] == expected
    return right


for request in sys.stdin:
    _, group, repeats = request.split()
    group, repeats = groups[int(group)], int(repeats)
    start = time.thread_time_ns()
    right = sum(measured_pass(group) for _ in range(repeats))
    print(time.thread_time_ns() - start, len(group) * repeats, right, "-", flush=True)
