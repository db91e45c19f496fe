"""The mail that is served, and who may read it: made anew, the same octets in every run.

Every file exists once and is linked into the folders of both servers, so that neither reads the
other's index and both read the same pages. Nothing here is measured.
"""

import os
import random
import subprocess
from pathlib import Path

# All of the password "right". The first one is the cheapest that both servers accept: logins then
# measure the servers. `load hash` measures the hash alone.
HASHES = {
    "": "$argon2id$v=19$m=8,t=1,p=1$GWY7yU2pLNghE5IyjGuz7g$lZ2nwrBYiX7tghMX/Km1ddlB70iintsfNt47Cr6Gv/s",
    "sha512-": "$6$tRT4YRiaoTlGdSFV$ZsgaW/ChPGtAOgWchgLmlAyBsLrmUHTmvg8sk5UbJ.qkbbQJNYX7Hjv1q/UCGzjgk3WFW/Z2jCMr2FbCuV2iO/",
    "bcrypt-": "$2y$10$P1PnsrbFuZqeSFNo4CQo3OxQiJiqeg6ozDYxPxK6KIsQTYQrcb9bu",
}
# The NT hash of "right".
NT_HASH = "fff1399e403bf6c698c9f38e19a3c196"
# Those who have a Kerberos principal.
PRINCIPALS = [f"k{number}" for number in range(16)]
OWNERS = ("postern", "dovecot")
NOBODY = 65534
LINE = b"The quick brown fox jumps over the lazy dog, and the postern stays open until the last one is in.\n"


class Mail:
    """A folder with all sets of mail: `mail/OWNER/USER/Maildir`."""

    def __init__(self, folder, users, fetchers, messages, *, big=0, people=0):
        self.folder, self.users, self.fetchers, self.messages = folder, users, fetchers, messages
        self.big, self.people = big, people
        self.random = random.Random(1939)
        self.delivered = 0
        self.spare = folder / "spare"

    def maildir(self, owner, user):
        return self.folder / "mail" / owner / user / "Maildir"

    def make(self):
        """All sets. Small ones have sizes and texts of their own; the big ones share some."""
        (self.folder / "mail").mkdir(mode=0o755)
        accounts = [(f"u{n}", "") for n in range(self.users)]
        for number in range(self.users):
            self.fill(f"u{number}", 10, self.small)
        for prefix, size in (("f", self.typical), ("s", self.small)):
            for number in range(self.fetchers):
                self.fill(f"{prefix}{number}", self.messages, size)
                accounts.append((f"{prefix}{number}", ""))
        for prefix in ("sha512-", "bcrypt-"):
            for number in range(16):
                self.fill(f"{prefix}{number}", 10, self.small)
                accounts.append((f"{prefix}{number}", prefix))
        for user in PRINCIPALS:
            self.fill(user, 10, self.small)
            accounts.append((user, ""))
        for number in range(self.people):
            self.share(f"u{number + 1:05}", f"u{number % self.users}")
        self.fill_big()
        self.write_users(accounts + [("b", ""), ("w", "")])

    def small(self):
        return self.random.randint(2_000, 8_000)

    def typical(self):
        """Mean 34 KB: mostly small, some of 50 to 200 KB, three in a thousand of 5 MB."""
        chance = self.random.random()
        if chance < 0.003:
            return 5_000_000
        return self.random.randint(50_000, 200_000) if chance < 0.12 else self.small()

    def text(self, number, size):
        """One message: a header, lines of text, some with a dot first; one in four has CRLF on disk."""
        head = (f"From: a{number}@example.test\nTo: b@example.test\nSubject: Message {number}\n"
                f"Message-ID: <{number}.{self.random.getrandbits(64):x}@example.test>\n\n").encode()
        line = f"{number} {self.random.getrandbits(64):x} ".encode() + LINE
        dots = b"." + line[:40] + b"\n.\n"
        body = (line * 20 + dots) * (size // (20 * len(line) + len(dots)) + 1)
        text = head + body[: max(size - len(head), 1)]
        text = text.rstrip(b"\n") + (b"\n" if number % 50 else b"")
        return text.replace(b"\n", b"\r\n") if number % 4 == 0 else text

    def folders(self, user):
        found = []
        for owner in OWNERS:
            maildir = self.maildir(owner, user)
            for name in ("cur", "new", "tmp"):
                (maildir / name).mkdir(parents=True)
                os.chown(maildir / name, NOBODY, NOBODY)
            os.chown(maildir, NOBODY, NOBODY)
            os.chown(maildir.parent, NOBODY, NOBODY)
            found.append(str(maildir / "cur"))
        return found

    def fill(self, user, count, size):
        first, second = self.folders(user)
        for number in range(count):
            text, name = self.text(number, size()), f"{1_600_000_000 + number}.M{number}P1.bench:2,S"
            self.write(f"{first}/{name}", text)
            os.link(f"{first}/{name}", f"{second}/{name}")

    def share(self, user, other):
        """The messages of another user once more, for a user of the directory."""
        for owner, folder in zip(OWNERS, self.folders(user)):
            for message in os.scandir(self.maildir(owner, other) / "cur"):
                os.link(message.path, f"{folder}/{message.name}")

    def fill_big(self):
        """One mailbox under two kinds of names: bare, and with the sizes in them."""
        bare, named = self.folders("b"), self.folders("w")
        for number in range(self.big):
            text = self.text(number, self.random.randint(700, 2_200))
            name = f"{1_600_000_000 + number}.M{number}P1.bench"
            lines, crlf = text.count(b"\n"), text.count(b"\r\n")
            virtual = len(text) + lines - crlf
            file = f"{bare[0]}/{name}:2,S"
            self.write(file, text)
            os.link(file, f"{bare[1]}/{name}:2,S")
            for folder in named:
                os.link(file, f"{folder}/{name},S={len(text)},W={virtual}:2,S")
        self.write(self.spare, self.text(1, 1_500))

    def write(self, path, text):
        with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(text)
            os.fchown(file.fileno(), NOBODY, NOBODY)

    def write_users(self, accounts):
        """The same names, passwords and hashes for both servers."""
        postern, dovecot = self.folder / "users.toml", self.folder / "users.passwd"
        postern.write_text("".join(f'[[user]]\nname = "{name}"\npassword = "{HASHES[kind]}"\nnt_hash = "{NT_HASH}"\n\n'
                                   for name, kind in accounts))
        scheme = {"": "ARGON2ID", "sha512-": "SHA512-CRYPT", "bcrypt-": "BLF-CRYPT"}
        dovecot.write_text("".join(f"{name}:{{{scheme[kind]}}}{HASHES[kind]}::::::\n" for name, kind in accounts))
        os.chmod(postern, 0o600)
        os.chown(postern, NOBODY, NOBODY)

    def forget(self, owner, user):
        """Takes away what servers keep beside the mail, so that the next opening is the first ever."""
        for entry in self.maildir(owner, user).iterdir():
            if entry.name not in ("cur", "new", "tmp"):
                subprocess.run(["rm", "-rf", str(entry)], check=True)

    def touch(self, owner, user):
        """Has the system read all files of a mailbox, so that it knows them."""
        for entry in os.scandir(self.maildir(owner, user) / "cur"):
            Path(entry.path).read_bytes()

    def deliver(self, owner, user):
        """One more message, as a delivery agent does it."""
        self.delivered += 1
        name = f"{1_700_000_000 + self.delivered}.M{self.delivered}P2.bench"
        os.link(self.spare, self.maildir(owner, user) / "new" / name)

    def count(self, owner, user):
        return sum(len(os.listdir(self.maildir(owner, user) / name)) for name in ("cur", "new"))


def certificate(folder):
    """A certificate for `localhost` that clients trust by itself; P-256."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", str(folder / "key.pem"),
                    "-out", str(folder / "certificate.pem")], check=True, capture_output=True)
    os.chown(folder / "key.pem", NOBODY, NOBODY)
