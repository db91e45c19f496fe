"""A whole mail client: logs in by AUTH NTLM, fetches everything, and binds itself to the TLS that it sees.

    fetch.py LIBRARY TRANSPORT HOST PORT AUTHORITY FOLDER BIND

TRANSPORT is clear, stls or tls. BIND is yes or no. User and password are the variables LOGIN and PASSWORD. A
client that binds hashes the certificate of the server that it talks to, whoever that is (RFC 5929).
"""

import base64
import hashlib
import os
import poplib
import ssl
import sys

import speaker

library, transport, host, port, authority, folder, bind = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
context.check_hostname = False
poplib._MAXLINE = 1 << 20

if transport == "tls":
    server = poplib.POP3_SSL(host, int(port), context=context, timeout=30)
else:
    server = poplib.POP3(host, int(port), timeout=30)
    if transport == "stls":
        server.stls(context)

bindings = None
if bind == "yes":
    certificate = server.sock.getpeercert(binary_form=True)
    bindings = b"tls-server-end-point:" + hashlib.sha256(certificate).digest()

client = speaker.make(
    library, os.environ["LOGIN"], os.environ["PASSWORD"], "pop", "pop.example.test", bindings
)


def ask(line):
    """Sends a line; what follows `+ ` in base64, or the last answer."""
    server._putline(line)
    answer = server._getline()[0]
    return answer


answer = ask(b"AUTH NTLM")
token = None
while answer.startswith(b"+ "):
    token = client.step(base64.b64decode(answer[2:]) or None)
    answer = ask(base64.b64encode(token))
print(answer.decode(), flush=True)
if not answer.startswith(b"+OK"):
    sys.exit(1)
for number in range(1, len(server.list()[1]) + 1):
    lines = server.retr(number)[1]
    with open(f"{folder}/{number}", "wb") as file:
        file.write(b"".join(line + b"\r\n" for line in lines))
    server.dele(number)
server.quit()
