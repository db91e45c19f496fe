"""Who vouches for users besides their own files: a Kerberos realm and a directory, of kdc-testenv.

Both are started when a metric needs them first. What they take is never a server's.
"""

import subprocess
from pathlib import Path

from servers import stat_of, TICK

SCRIPTS = Path(__file__).resolve().parents[2] / "kdc-testenv"
# Of every account of kdc-testenv.
PASSWORD = "Right-1234"
# In the directory: u00001 to u10000.
PEOPLE = 10_000


class Part:
    """Something that a script of kdc-testenv starts in a folder of its own."""

    def __init__(self, script, folder, pid_file):
        self.script, self.folder, self.pid_file = str(SCRIPTS / script), folder, folder / pid_file
        self.started = False

    def start(self, *options):
        if not self.started:
            self.started = True
            self.run("start", *options)

    def run(self, verb, *words, text=None):
        command = [self.script, verb, str(self.folder), *words]
        done = subprocess.run(command, input=text or "", capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(command)}: {done.stderr.strip()}")

    def variables(self):
        """What its `env` exports; nothing before it was started."""
        if not self.started:
            return {}
        lines = (self.folder / "env").read_text().splitlines()
        pairs = (line.removeprefix("export ").partition("=") for line in lines)
        return {name: value.strip("'") for name, _, value in pairs}

    def cpu(self):
        """Seconds, since it started."""
        stat = stat_of(self.pid_file.read_text().strip()) if self.started else None
        return sum(int(field) for field in stat[11:13]) / TICK if stat else 0.0

    def stop(self):
        if self.started:
            self.run("stop")


class Realm(Part):
    """An MIT KDC. Clients have the tickets of all users, and of the service."""

    def __init__(self, folder):
        super().__init__("mit", folder, "kdc.pid")

    def start(self, users):
        if self.started:
            return
        super().start()
        keytab = self.folder / "users.keytab"
        orders = "".join(f"addprinc -randkey {user}\nktadd -k {keytab} {user}\n" for user in users)
        self.run("enter", "kadmin.local", "-r", "EXAMPLE.TEST", text=orders)
        (self.folder / "collection").mkdir()
        cache = f"KRB5CCNAME={self.tickets()}"
        for user in users:
            self.run("enter", "env", cache, "kinit", "-k", "-t", str(keytab), user)

    def tickets(self):
        return f"DIR:{self.folder / 'collection'}"

    def environment(self):
        """What a client must have to see the realm and its tickets; a server, the realm."""
        found = self.variables()
        return {"KRB5_CONFIG": found["KRB5_CONFIG"], "KRB5CCNAME": self.tickets()} if found else {}


class Directory(Part):
    """An slapd with 10,000 users and {SSHA} passwords, which says nothing of each operation."""

    def __init__(self, folder):
        super().__init__("ldap", folder, "slapd.pid")

    def start(self):
        super().start(f"users={PEOPLE}", "log=none")
