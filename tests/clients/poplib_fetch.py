"""Fetches and deletes everything with Python's poplib, one file a message.

usage: poplib_fetch.py HOST PORT clear|stls|tls CA-FILE USER PASSWORD FOLDER
"""

import poplib
import ssl
import sys

host, port, transport, authority, user, password, folder = sys.argv[1:]

# poplib refuses lines of more than 2048 octets, RFC 5322 allows 998; real mail has longer ones.
poplib._MAXLINE = 1 << 20

context = ssl.create_default_context(cafile=authority)
if transport == "tls":
    server = poplib.POP3_SSL(host, int(port), context=context, timeout=20)
else:
    server = poplib.POP3(host, int(port), timeout=20)
    if transport == "stls":
        server.stls(context=context)

capabilities = server.capa()
assert "UIDL" in capabilities and "TOP" in capabilities, capabilities
server.user(user)
server.pass_(password)
count, total = server.stat()
sizes = server.list()[1]
uids = server.uidl()[1]
assert count == len(sizes) == len(uids)
assert total == sum(int(line.split()[1]) for line in sizes)
for number in range(1, count + 1):
    _, lines, _ = server.retr(number)
    header = lines[: lines.index(b"")]
    assert server.top(number, 0)[1] == header + [b""], f"TOP {number} 0"
    with open(f"{folder}/{number}", "wb") as file:
        file.write(b"".join(line + b"\r\n" for line in lines))
    server.dele(number)
server.quit()
