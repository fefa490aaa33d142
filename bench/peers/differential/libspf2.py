"""libspf2 over generated worlds: see pyspf.py for what is read and written.

The library itself, not its spfquery: it can be given answers ("zone"), which spfquery cannot, and
which keeps a run of 100,000 worlds from name servers, caches and port 53."""

import ctypes
import os
import sys

library = ctypes.CDLL(os.environ["LIBSPF2"])
for name in [
    "SPF_dns_zone_new",
    "SPF_server_new_dns",
    "SPF_request_new",
    "SPF_response_message",
]:
    getattr(library, name).restype = ctypes.c_void_p

TYPES = {"A": 1, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
TYPE_SPF = 99

# netdb.h: h_errno.
SUCCESS, TRY_AGAIN, NO_DATA = 0, 2, 4

# spf_response.h: SPF_result_t and SPF_errcode_t.
RESULTS = ["", "neutral", "pass", "fail", "softfail", "none", "temperror", "permerror"]
NOT_SPF, DNS_ERROR = 2, 26


def pointer(value):
    return ctypes.c_void_p(value)


def octets(text):
    return text.encode("latin-1")


class World:
    """What DNS says, as a zone of the library."""

    def __init__(self):
        self.zone = library.SPF_dns_zone_new(None, b"world", 0)
        self.names = set()

    def add(self, name, kind, status, records):
        if name not in self.names:
            # It asks for the type SPF first, and takes an error of the name for one of TXT.
            self.names.add(name)
            self.note(name, TYPE_SPF, NO_DATA, None)
        if status != "found":
            self.note(name, TYPES[kind], NO_DATA if status == "nodata" else TRY_AGAIN, None)
        for record in records:
            record = bytes.fromhex(record) if kind == "TXT" else octets(record)
            self.note(name, TYPES[kind], SUCCESS, record)

    def note(self, name, kind, status, record):
        library.SPF_dns_zone_add_str(pointer(self.zone), octets(name), kind, status, record)

    def check(self, address, helo, sender):
        server = library.SPF_server_new_dns(pointer(self.zone), 0)
        request = library.SPF_request_new(pointer(server))
        family = library.SPF_request_set_ipv6_str if ":" in address else library.SPF_request_set_ipv4_str
        family(pointer(request), octets(address))
        library.SPF_request_set_helo_dom(pointer(request), octets(helo))
        library.SPF_request_set_env_from(pointer(request), octets(sender))
        response = ctypes.c_void_p()
        error = library.SPF_request_query_mailfrom(pointer(request), ctypes.byref(response))
        result = RESULTS[library.SPF_response_result(response)]
        # Without a record that it understands there is no result, but errors: the first says why.
        if not result:
            first = library.SPF_response_message(response, 0)
            code = library.SPF_error_code(pointer(first)) if first else error
            result = {NOT_SPF: "none", DNS_ERROR: "temperror"}.get(code, "permerror")
        library.SPF_response_free(response)
        library.SPF_request_free(pointer(request))
        library.SPF_server_free(pointer(server))
        return result


world = World()
for line in sys.stdin:
    word, *fields = line.rstrip("\n").split("\t")
    if word == "answer":
        name, kind, status, *records = fields
        world.add(name, kind, status, records)
        continue
    print(world.check(*fields), flush=True)
    world = World()
