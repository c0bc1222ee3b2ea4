"""Reads sync settings of the form Over The Air Settings 7.0 (Nokia and Ericsson, sections 9 to 12) from standard input and
prints them as JSON: a list [name, children or text] for each element. Written from the tables of that document.
"""
import json
import sys

NAMES = {
    0x05: "Addr", 0x06: "AddrType", 0x07: "Auth", 0x08: "AuthLevel", 0x09: "AuthScheme", 0x0A: "Bearer", 0x0B: "ConRef",
    0x0C: "ConType", 0x0D: "Cred", 0x0E: "CTType", 0x0F: "CTVer", 0x10: "HostAddr", 0x11: "Name", 0x12: "Port",
    0x13: "RefID", 0x14: "RemoteDB", 0x15: "SyncSettings", 0x16: "URI", 0x17: "Username", 0x18: "Version",
}
# What may stand in an element, in this order; "+" once or more, "*" any number, "?" once at most.
CONTENT = {
    "SyncSettings": ["Version", "HostAddr", "Port?", "RemoteDB+", "Name?", "Auth*", "ConRef?"],
    "RemoteDB": ["(CTType CTVer*)+", "URI", "Name?", "Auth?"],
    "Auth": ["AuthLevel", "AuthScheme", "Username?", "Cred"],
    "ConRef": ["ConType", "RefID"],
}


class Octets:
    def __init__(self, octets):
        self.octets = octets
        self.at = 0

    def next(self):
        octet = self.octets[self.at]
        self.at += 1
        return octet

    def text(self):
        end = self.octets.index(0, self.at)
        text = self.octets[self.at:end].decode("utf-8")
        self.at = end + 1
        return text


def element(octets):
    token = octets.next()
    assert token & 0x80 == 0, "no element has attributes"
    name = NAMES[token & 0x3F]
    children, text = [], ""
    if token & 0x40:
        while (octet := octets.next()) != 0x01:
            assert octet not in (0x00, 0x02, 0xC3, 0x83), "page, entity, opaque or table: %02x" % octet
            if octet == 0x03:
                text += octets.text()
            else:
                octets.at -= 1
                children.append(element(octets))
    assert not (children and text), "%s has text beside elements" % name
    check(name, [child[0] for child in children])
    return [name, children if children else text]


def check(name, found):
    """The children stand in their order."""
    import re
    if name not in CONTENT:
        assert not found, "%s has elements" % name
        return
    pattern = ""
    for part in CONTENT[name]:
        bare = part.rstrip("?*+")
        words = bare.strip("()").split(" ")
        inner = "".join("(?:<%s>)%s" % (w.rstrip("*"), "*" if w.endswith("*") else "") for w in words)
        pattern += "(?:%s)%s" % (inner, part[len(bare):])
    written = "".join("<%s>" % child for child in found)
    assert re.fullmatch(pattern, written), "%s: %s" % (name, written)


octets = Octets(sys.stdin.buffer.read())
head = [octets.next() for _ in range(4)]
assert head == [0x01, 0x01, 0x6A, 0x00], "WBXML 1.1, no public identifier, UTF-8, no table: %s" % head
root = element(octets)
assert octets.at == len(octets.octets), "something follows"
assert root[0] == "SyncSettings"
json.dump(root, sys.stdout)
