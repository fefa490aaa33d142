"""pyspf over generated worlds: reads them from standard input, writes a result a check.

Lines, separated by tabs: `answer NAME TYPE STATUS RECORD...` (TXT records in hexadecimal digits),
then `check ADDRESS HELO SENDER`, which also ends the world."""

import sys

import spf

world = {}


def record(kind, text):
    if kind == "MX":
        preference, exchange = text.split(" ")
        return int(preference), exchange
    if kind == "TXT":
        return (bytes.fromhex(text),)
    return text


def look_up(name, kind, *_, **__):
    key = name.lower().rstrip("."), kind
    status, records = world.get(key, ("nxdomain", []))
    if status == "servfail":
        raise spf.TempError("DNS SERVFAIL")
    if status == "timeout":
        raise spf.TempError("DNS The DNS operation timed out")
    return [((name, kind), record(kind, text)) for text in records]


spf.DNSLookup = look_up

for line in sys.stdin:
    word, *fields = line.rstrip("\n").split("\t")
    if word == "answer":
        name, kind, status, *records = fields
        world[name, kind] = status, records
        continue
    address, helo, sender = fields
    try:
        result = spf.check2(i=address, s=sender, h=helo, querytime=0)[0]
    except Exception as error:  # noqa: BLE001: whatever it is, the peer has crashed
        result = "crash:" + type(error).__name__
    world.clear()
    print(result, flush=True)
