"""Makes a ticket that no KDC gave out, as whoever has a service's key can: of any size. The service
sees no difference, and neither do the clients that find it among their tickets.

    forge_ticket.py KEYTAB SERVICE CLIENT OCTETS CCACHE

The ticket carries a PAC (MS-PAC) of so many octets, as that of a user in thousands of groups does; its
server signature is right. The first key of SERVICE for aes256-cts-hmac-sha1-96 is used. CCACHE is written
anew, and holds nothing else.
"""

import hashlib
import hmac
import math
import os
import struct
import sys
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

AES256 = 18
TICKET, PAC_SIGNATURE = 2, 17  # Key usages (RFC 4120 7.5.1, MS-PAC 2.8).
HOURS = 8 * 3600


# ---- RFC 3961 and RFC 3962


def n_fold(octets, size):
    whole = math.lcm(len(octets), size)
    number, bits = int.from_bytes(octets, "big"), 8 * len(octets)
    copies = b""
    for copy in range(whole // len(octets)):
        by = 13 * copy % bits
        copies += ((number >> by | number << (bits - by)) & ((1 << bits) - 1)).to_bytes(len(octets), "big")
    folded = sum(int.from_bytes(copies[at : at + size], "big") for at in range(0, whole, size))
    return (folded % ((1 << 8 * size) - 1)).to_bytes(size, "big")


def cbc(key, octets):
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return encryptor.update(octets) + encryptor.finalize()


def derived(key, usage, kind):
    first = cbc(key, n_fold(struct.pack(">IB", usage, kind), 16))
    return first + cbc(key, first)


def signed(key, usage, kind, octets):
    return hmac.digest(derived(key, usage, kind), octets, hashlib.sha1)[:12]


def encrypted(key, usage, octets):
    octets = os.urandom(16) + octets
    last = len(octets) % 16 or 16
    blocks = cbc(derived(key, usage, 0xAA), octets + bytes(16 - last))
    stolen = blocks[:-32] + blocks[-16:] + blocks[-32:-16][:last]
    return stolen + signed(key, usage, 0x55, octets)


# ---- DER (X.690), and the parts of RFC 4120 5.3 that a ticket has


def der(tag, *parts):
    contents = b"".join(parts)
    length = len(contents)
    if length < 0x80:
        return bytes([tag, length]) + contents
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + contents


def sequence(*parts):
    return der(0x30, *parts)


def field(number, value):
    return der(0xA0 | number, value)


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def octet_string(octets):
    return der(0x04, octets)


def text(words):
    return der(0x1B, words.encode())


def moment(seconds):
    return der(0x18, time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds)).encode())


def bits(number):
    return der(0x03, b"\0" + struct.pack(">I", number))


def name(kind, components):
    return sequence(field(0, integer(kind)), field(1, sequence(*map(text, components))))


def authorization(kind, data):
    return sequence(sequence(field(0, integer(kind)), field(1, octet_string(data))))


# ---- MS-PAC 2.3 to 2.8


def pac(key, user, began, octets):
    as_windows = (began + 11644473600) * 10**7
    shown = user.encode("utf-16-le")
    client = struct.pack("<QH", as_windows, len(shown)) + shown
    signature = struct.pack("<I", 16) + bytes(12)
    # Groups are eight octets each, and nobody here reads them.
    groups = bytes(max(0, octets - 8 - 4 * 16 - len(client) - 2 * len(signature) - 16))
    buffers = [(1, groups), (10, client), (6, signature), (7, signature)]
    at, table, contents, server = 8 + 16 * len(buffers), b"", b"", 0
    for kind, data in buffers:
        if kind == 6:
            server = at + len(contents) + 4
        table += struct.pack("<IIQ", kind, len(data), at + len(contents))
        contents += data + bytes(-len(data) % 8)
    whole = struct.pack("<II", len(buffers), 0) + table + contents
    return whole[:server] + signed(key, PAC_SIGNATURE, 0x99, whole) + whole[server + 12 :]


# ---- the files of MIT Kerberos


def key_of(path, service):
    """The first key of this type that the keytab has for it, and its version."""
    with open(path, "rb") as file:
        octets = file.read()
    at = 2
    while at < len(octets):
        (size,) = struct.unpack_from(">i", octets, at)
        entry, at = octets[at + 4 : at + 4 + max(size, 0)], at + 4 + abs(size)
        if not entry:
            continue
        (count,) = struct.unpack_from(">H", entry)
        words, here = [], 2
        for _ in range(count + 1):
            (length,) = struct.unpack_from(">H", entry, here)
            words.append(entry[here + 2 : here + 2 + length].decode())
            here += 2 + length
        kvno, enctype, length = struct.unpack_from(">BHH", entry, here + 8)
        if "/".join(words[1:]) + "@" + words[0] == service and enctype == AES256:
            return entry[here + 13 : here + 13 + length], kvno
    sys.exit(f"{path} has no key of {service} for aes256-cts-hmac-sha1-96")


def counted(octets):
    return struct.pack(">I", len(octets)) + octets


def principal(kind, components, realm):
    return struct.pack(">II", kind, len(components)) + b"".join(
        counted(word.encode()) for word in [realm, *components]
    )


def ccache(client, service, session, times, flags, ticket):
    credential = client + service + struct.pack(">H", AES256) + counted(session)
    credential += struct.pack(">4IBI", *times, 0, flags) + bytes(8) + counted(ticket) + bytes(4)
    return b"\x05\x04\0\0" + client + credential


def main():
    keytab, service, client, octets, path = sys.argv[1:]
    key, kvno = key_of(keytab, service)
    service, service_realm = service.rsplit("@", 1)
    user, realm = client.rsplit("@", 1)
    session, began = os.urandom(32), int(time.time())
    flags = 0x00A00000  # Pre-authenticated, and not a ticket that gives others.
    inside = der(
        0x63,
        sequence(
            field(0, bits(flags)),
            field(1, sequence(field(0, integer(AES256)), field(1, octet_string(session)))),
            field(2, text(realm)),
            field(3, name(1, user.split("/"))),
            field(4, sequence(field(0, integer(1)), field(1, octet_string(b"")))),
            field(5, moment(began)),
            field(7, moment(began + HOURS)),
            # AD-IF-RELEVANT around AD-WIN2K-PAC.
            field(10, authorization(1, authorization(128, pac(key, user, began, int(octets))))),
        ),
    )
    part = sequence(
        field(0, integer(AES256)), field(1, integer(kvno)), field(2, octet_string(encrypted(key, TICKET, inside)))
    )
    named = name(2, service.split("/"))
    ticket = der(0x61, sequence(field(0, integer(5)), field(1, text(service_realm)), field(2, named), field(3, part)))
    with open(path, "wb") as file:
        who = principal(1, user.split("/"), realm)
        whom = principal(2, service.split("/"), service_realm)
        file.write(ccache(who, whom, session, [began, began, began + HOURS, 0], flags, ticket))


main()
