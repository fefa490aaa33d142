"""pyspf as a measured program, with the files and the protocols of quivive-bench-measure:
`pyspf.py FOLDER` checks with all answers in memory, `pyspf.py FOLDER wire ADDRESS` asks a name
server through dnspython, which keeps nothing from question to question."""

import pathlib
import sys
import time

import spf


def read(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def measured_pass(queries):
    right = 0
    for address, helo, sender, expected in queries:
        right += spf.check2(i=address, s=sender, h=helo)[0] == expected
    return right


def in_memory(folder):
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
    for request in sys.stdin:
        # "pass" or "warm": nothing changes from pass to pass.
        _, group, repeats = request.split()
        group, repeats = groups[int(group)], int(repeats)
        start = time.thread_time_ns()
        right = sum(measured_pass(group) for _ in range(repeats))
        print(time.thread_time_ns() - start, len(group) * repeats, right, "-", flush=True)


def over_the_wire(folder, address):
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=False)
    host, port = address.rsplit(":", 1)
    resolver.nameservers, resolver.port = [host], int(port)
    dns.resolver.default_resolver = resolver
    queries = read(folder / "queries-0.tsv")
    for request in sys.stdin:
        _, _, _, count, repeats = request.split()
        checks = int(count) * int(repeats)
        start, used = time.monotonic_ns(), time.process_time_ns()
        right = measured_pass(queries[place % int(count)] for place in range(checks))
        elapsed = time.monotonic_ns() - start
        print(elapsed, time.process_time_ns() - used, checks, right, elapsed, 0, flush=True)


if len(sys.argv) > 2:
    over_the_wire(pathlib.Path(sys.argv[1]), sys.argv[3])
else:
    in_memory(pathlib.Path(sys.argv[1]))
