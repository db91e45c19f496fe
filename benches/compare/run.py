"""Runs loads against servers: alternates them, reads their counters, and repeats what was disturbed."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from mail import NOBODY, PRINCIPALS
from metrics import METRICS
from realm import PASSWORD, Directory, Realm
from servers import TICK, Server, stat_of

# A neighbour that takes more of a core than this spoils a run.
DISTURBED = 0.25
# Who vouches for the users of a set, and how they log in, where that is not the file and USER.
MEANS = {"k": ("gssapi", ("--mechanism", "gssapi")), "l": ("ldap", ("--password", PASSWORD))}


class Run:
    """All servers, all mail, and the load generator."""

    def __init__(self, mail, programs, quick, names, repeats):
        self.mail, self.quick, self.programs = mail, quick, programs
        self.servers = {name: Server(name, mail.folder, programs["postern"]) for name in names}
        self.realm, self.directory = Realm(mail.folder / "realm"), Directory(mail.folder / "directory")
        self.neighbours, self.seen, self.cpu_from = [], {}, ""
        # A machine that is never quiet is not waited for.
        self.repeats = repeats
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def scaled(self, count):
        return max(count // 6, 1) if self.quick else count

    def start(self, server, cores, logins="files", share=None):
        """Has a server run; `logins` is who vouches for users, `share` the part of a core that it may use if not all."""
        at = self.servers[server]
        at.start(cores, logins, self.voucher(logins, at.owner), share)

    def voucher(self, logins, owner):
        """Starts who vouches for users besides the files, and gives the server what it needs for that."""
        if logins == "gssapi":
            self.realm.start(PRINCIPALS)
            user = {"postern": "nobody", "dovecot": "dovecot"}[owner]
            keytab = shutil.copy(self.realm.folder / "pop.keytab", self.mail.folder / f"{owner}.keytab")
            shutil.chown(keytab, user)
            return self.realm.environment()
        if logins == "ldap":
            self.directory.start()
            password = self.mail.folder / "directory-password"
            password.touch(mode=0o600)
            password.write_text(f"{PASSWORD}\n")
            os.chown(password, NOBODY, NOBODY)
            return self.directory.variables()
        return {}

    def stop(self):
        for part in (*self.servers.values(), self.realm, self.directory):
            part.stop()

    def command(self, server, job, arguments, tls, cores):
        at = self.servers[server]
        port = at.implicit if tls == "implicit" else at.plain
        command = ["taskset", "-c", "0"] if cores == 1 else []
        command += [self.programs["load"], job, "--address", f"127.0.0.1:{port}", "--tls", tls]
        return [str(word) for word in (*command, "--certificate", self.mail.folder / "certificate.pem", *arguments)]

    def load(self, server, job, *arguments, tls="none", cores=2, meanwhile=None):
        """One load. The result has `cpu`, the server's seconds, and is taken after it went quiet."""
        command = self.command(server, job, arguments, tls, cores)
        at = self.servers[server]
        self.cpu_from = at.group.kind()
        with self.client(command) as load:
            expect_line(load, command, server)
            at.quiet()
            before, clock, busy, slapd = at.group.cpu(), time.monotonic(), all_busy(), self.directory.cpu()
            load.stdin.write("go\n")
            load.stdin.flush()
            result = json.loads(expect_line(load, command, server))
            at.quiet()
            result["cpu"], result["slapd"] = at.group.cpu() - before, self.directory.cpu() - slapd
            took, busy = time.monotonic() - clock, all_busy() - busy
            own = sum(int(field) for field in stat_of(load.pid)[11:13]) / TICK
            if meanwhile:
                result["meanwhile"] = meanwhile()
            load.stdin.close()
        self.neighbours.append(max((busy - result["cpu"] - result["slapd"] - own) / took, 0.0))
        return result

    def client(self, command):
        """The load generator, which sees the realm if there is one."""
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=os.environ | self.realm.environment())

    @contextlib.contextmanager
    def noops(self, server, *arguments):
        """NOOP meanwhile; the dictionary has the times when all is over."""
        command, found = self.command(server, "noop", arguments, "none", 2), {}
        with self.client(command) as asking:
            expect_line(asking, command, server)
            asking.stdin.write("go\n")
            asking.stdin.flush()
            yield found
            asking.stdin.write("enough\n")
            asking.stdin.flush()
            found |= json.loads(expect_line(asking, command, server))
            asking.stdin.close()

    def directory_alone(self, count):
        """Logins per second for which the directory answers a search and a bind when no mail server is in between."""
        where = self.directory.variables()
        command = [self.programs["load"], "directory", "--address", where["LDAP_URI"].removeprefix("ldap://"),
                   "--certificate", where["LDAP_CA"], "--service", f"cn=postern,ou=services,{where['LDAP_BASE']}",
                   "--base", f"ou=people,{where['LDAP_BASE']}", "--users", f"u00001:{self.mail.people}",
                   "--password", PASSWORD, "--count", str(count)]
        with self.client(command) as load:
            said, _ = load.communicate("go\n")
        if load.returncode != 0:
            raise SystemExit(f"bench: the load failed, see above: {' '.join(map(str, command))}")
        return count / json.loads(said.splitlines()[-1])["seconds"]

    def memory(self, server, arguments, tls):
        """What connections that are left idle take: PSS and kernel in KiB, and the result of opening them."""
        at = self.servers[server]
        at.stop()
        at.start(2)
        # What the first login of all takes is not a connection's.
        self.load(server, "login", "--count", 20, "--clients", 1, "--users", f"u:{self.mail.users}", tls=tls)
        pss, kernel = at.group.memory()
        result = self.load(server, "idle", *arguments, tls=tls, meanwhile=at.group.memory)
        after = result["meanwhile"]
        return after[0] - pss, (after[1] or 0) - (kernel or 0), result

    @contextlib.contextmanager
    def beside(self, server, users):
        """Four other clients, from addresses of their own, that log in all the time."""
        if not users:
            yield
            return
        arguments = ["--users", users, "--clients", 4, "--count", 1_000_000, "--source", "127.0.2.1",
                     "--sources", 4]
        command = self.command(server, "login", arguments, "none", 2)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as other:
            try:
                time.sleep(1)
                yield
                if other.poll() is not None:
                    raise SystemExit("bench: the clients with slow hashes ended early")
            finally:
                other.kill()

    def same(self, what, value):
        self.expect(value, self.seen.setdefault(what, value), what)

    def expect(self, value, wanted, what):
        if value != wanted:
            raise SystemExit(f"bench: {what}: {value}, but it must be {wanted}")

    def drop_caches(self):
        os.sync()
        try:
            Path("/proc/sys/vm/drop_caches").write_text("3")
            return True
        except OSError:
            return False

    def warm_up(self, metrics):
        """Every mailbox is opened once before anything is timed."""
        needs = {need for metric in metrics for need in metric.needs}
        sets = {"u": [f"u:{self.mail.users}"], "h": ["sha512-:16", "bcrypt-:16"],
                "f": [f"f:{self.mail.fetchers}"], "s": [f"s:{self.mail.fetchers}"], "b": ["b", "w"],
                "k": [f"k:{len(PRINCIPALS)}"], "l": [f"u00001:{self.mail.people}"]}
        owners = {}
        for name, server in self.servers.items():
            owners.setdefault(server.owner, name)
        for name in owners.values():
            for need in sorted(needs):
                logins, how = MEANS.get(need, ("files", ()))
                self.start(name, 2, logins)
                for users in sets[need]:
                    count = users.partition(":")[2] or 1
                    self.load(name, "session" if need_reads(users) else "login", "--users", users, "--count", count, *how)
        self.neighbours.clear()

    def undisturbed(self, metric, name):
        """One measurement with all that prepares it, again if others used the machine meanwhile."""
        while True:
            seen = len(self.neighbours)
            found = metric.measure(self, name)
            if self.repeats == 0 or max(self.neighbours[seen:], default=0.0) < DISTURBED:
                return found
            self.repeats -= 1

    def measure(self, metric, rounds):
        """The figures of all servers, in the order A B C, C B A, …: {server: [(figure, …), …]}."""
        names = [name for name in self.servers if name in metric.servers]
        figures = {name: [] for name in names}
        for number in range(min(rounds, metric.rounds)):
            for name in names if number % 2 == 0 else reversed(names):
                found = self.undisturbed(metric, name)
                if found is None:
                    return None
                figures[name].append(found)
        return figures


def need_reads(users):
    return users[0] in "fs"


def expect_line(load, command, server):
    line = load.stdout.readline()
    if not line:
        load.wait()
        raise SystemExit(f"bench: {server}: the load failed, see above: {' '.join(command)}")
    return line


def all_busy():
    """Seconds that all processes together have used, since the machine started."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICK


def hash_cost(run, text, count=20_000):
    """Microseconds of CPU that a hash takes by itself."""
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    command = [str(run.programs["load"]), "hash", text, "--count", str(count)]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return (sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before) / count * 1e6


def choose(words, quick):
    """The metrics of these names; all when there is none. A name may be the beginning of several."""
    for word in words:
        if not any(metric.name.startswith(word) for metric in METRICS):
            sys.exit(f"bench: there is no metric {word!r}; script/bench --list shows all")
    chosen = [metric for metric in METRICS if not words or any(match(metric.name, word) for word in words)]
    return [metric for metric in chosen if words or not (quick and metric.full_only)]


def match(name, word):
    exact = any(metric.name == word for metric in METRICS)
    return name == word if exact else name.startswith(word)
