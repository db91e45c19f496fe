"""A GSSAPI client whose every move can be told: prints its tokens, and reads the server's, as
lines of base64. The environment says which realm (KRB5_CONFIG) and whose tickets (KRB5CCNAME)."""

import argparse
import base64
import sys

import gssapi
from gssapi.raw import ChannelBindings, RequirementFlag

MECHANISMS = {"krb5": "1.2.840.113554.1.2.2", "spnego": "1.3.6.1.5.5.2"}

wanted = argparse.ArgumentParser()
wanted.add_argument("service", help="whom the ticket is to be for: pop@localhost")
wanted.add_argument("--mechanism", choices=MECHANISMS, default="krb5")
wanted.add_argument("--binding", help="a tls-server-end-point hash, in hexadecimal")
wanted.add_argument("--no-mutual", action="store_true", help="let the server prove nothing")
wanted.add_argument("--choice", default="01000000", help="the answer to the offer of layers, in hexadecimal")
wanted.add_argument("--encrypt", action="store_true", help="encrypt that answer")
wanted.add_argument("--rotate", type=int, default=0, help="rotate it, as Windows does (RFC 4121 4.2.5)")
wanted.add_argument("--flip", type=int, help="turn a bit of this octet of it")
wanted.add_argument("--first", type=int, help="say so many first tokens, of as many contexts, and end")
wanted = wanted.parse_args()


def say(token):
    print(base64.b64encode(token or b"").decode(), flush=True)


def hear():
    return base64.b64decode(sys.stdin.readline())


def binding():
    if wanted.binding is None:
        return None
    return ChannelBindings(application_data=b"tls-server-end-point:" + bytes.fromhex(wanted.binding))


def rotated(token):
    """The right rotation of what is behind the header; the header says by how much."""
    head, rest = bytearray(token[:16]), token[16:]
    head[6:8] = wanted.rotate.to_bytes(2, "big")
    by = wanted.rotate % len(rest)
    return bytes(head) + rest[len(rest) - by :] + rest[: len(rest) - by]


flags = RequirementFlag.integrity
if not wanted.no_mutual:
    flags |= RequirementFlag.mutual_authentication


def begun():
    return gssapi.SecurityContext(
        name=gssapi.Name(wanted.service, gssapi.NameType.hostbased_service),
        mech=gssapi.OID.from_int_seq(MECHANISMS[wanted.mechanism]),
        flags=flags,
        channel_bindings=binding(),
        usage="initiate",
    )


if wanted.first is not None:
    for _ in range(wanted.first):
        say(begun().step())
    sys.exit()
context = begun()
say(context.step())
while not context.complete:
    say(context.step(hear()))
if wanted.mechanism == "krb5":
    offer = context.unwrap(hear())
    if offer.encrypted or offer.message != bytes([1, 0, 0, 0]):
        sys.exit(f"a strange offer: {offer}")
    answer = context.wrap(bytes.fromhex(wanted.choice), wanted.encrypt).message
    if wanted.rotate:
        answer = rotated(answer)
    if wanted.flip is not None:
        answer = bytearray(answer)
        answer[wanted.flip] ^= 1
    say(bytes(answer))
