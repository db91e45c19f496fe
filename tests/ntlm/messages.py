"""Lends the NTLM clients of speaker.py to a test that carries their messages itself, and may change them.

Reads lines of JSON, each an object; writes a line for each:

    {"library", "user", "password", "service", "host", "bindings"}   the NEGOTIATE of a new client
    {"challenge"}                                                     the AUTHENTICATE of the last client

Messages and bindings are in base64; `bindings` may be null. A client that refuses is a line "refused: why".
"""

import base64
import json
import sys

import speaker


def main():
    client = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "challenge" in asked:
                token = client.step(base64.b64decode(asked["challenge"]))
            else:
                bindings = asked.pop("bindings")
                client = speaker.make(**asked, bindings=bindings and base64.b64decode(bindings))
                token = client.step(None)
            print(base64.b64encode(token).decode(), flush=True)
        except Exception as error:  # What it was is for the test to read.
            print("refused:", type(error).__name__, str(error).replace("\n", " "), flush=True)


main()
