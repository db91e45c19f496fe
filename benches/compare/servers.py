"""The servers: started, watched, ended. CPU and memory are those of all their processes.

CPU comes from a control group of the server's own where there is one (version 1 or 2), which is
exact to the nanosecond and holds processes that have ended. Otherwise it is summed over the process
tree in /proc, with what ended children left to their parents, in ticks of 10 ms. A child that ends
after its parent is lost there; Dovecot's master outlives its children and collects them all.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
UNIT = HERE.parents[1] / "packaging/postern.service"
GROUPS = Path("/sys/fs/cgroup")
TICK = os.sysconf("SC_CLK_TCK")
DEADLINE = 30


def until(what, question):
    """Asks until there is an answer."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise SystemExit(f"bench: waited {DEADLINE} s in vain for: {what}")


def fill_in(template, values):
    return re.sub(r"\[(\w+)\]", lambda found: str(values.get(found[1], found[0])), (HERE / template).read_text())


class Group:
    """A control group, or the process tree where groups cannot be made. `share` is how much of a core the
    processes may use together, where there is a bound."""

    def __init__(self, name, share=None):
        self.pid, self.folders = None, {}
        parents = {"cpu": GROUPS / "cpuacct", "memory": GROUPS / "memory", "share": GROUPS / "cpu"}
        if (GROUPS / "cgroup.controllers").exists():
            parents = {"cpu": GROUPS}
        for kind, parent in parents.items():
            try:
                (parent / name).mkdir(exist_ok=True)
                self.folders[kind] = parent / name
            except OSError:
                pass
        if share:
            self.confine(share)

    def confine(self, share):
        """In short periods, so that clients never wait long for the next one."""
        period = 10_000
        quota = round(period * share)
        try:
            if folder := self.folders.get("share"):
                (folder / "cpu.cfs_period_us").write_text(str(period))
                (folder / "cpu.cfs_quota_us").write_text(str(quota))
            else:
                (GROUPS / "cgroup.subtree_control").write_text("+cpu")
                (self.folders["cpu"] / "cpu.max").write_text(f"{quota} {period}")
        except (KeyError, OSError) as error:
            raise SystemExit(f"bench: a server cannot be held to {share} of a core by a control group: {error}") from error

    def enter(self):
        """Called in the new process before the server's program."""
        for folder in self.folders.values():
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def kind(self):
        return "a control group" if "cpu" in self.folders else "/proc, in ticks of 10 ms"

    def processes(self):
        if "cpu" in self.folders:
            return [int(pid) for pid in (self.folders["cpu"] / "cgroup.procs").read_text().split()]
        return self.tree()

    def tree(self):
        parents = {}
        for entry in Path("/proc").glob("[0-9]*"):
            if stat := stat_of(entry.name):
                parents[int(entry.name)] = int(stat[1])
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu(self):
        """Seconds, since the server started."""
        if folder := self.folders.get("cpu"):
            if (usage := folder / "cpuacct.usage").exists():
                return int(usage.read_text()) / 1e9
            return int((folder / "cpu.stat").read_text().split()[1]) / 1e6
        return sum(sum(int(field) for field in stat[11:15]) for pid in self.tree() if (stat := stat_of(pid))) / TICK

    def memory(self):
        """KiB: proportional set size, and what the kernel keeps for these processes (None if it does not say)."""
        pss = 0
        for pid in self.processes():
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                pss += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1])
            except OSError:
                pass
        kernel = self.folders.get("memory", Path("/none")) / "memory.kmem.usage_in_bytes"
        if kernel.exists():
            return pss, int(kernel.read_text()) // 1024
        stat = self.folders.get("cpu", Path("/none")) / "memory.stat"
        found = stat.exists() and re.search(r"^kernel (\d+)", stat.read_text(), re.M)
        return pss, int(found[1]) // 1024 if found else None

    def remove(self):
        # Two kinds may be one folder under two names.
        for folder in {folder.resolve() for folder in self.folders.values()}:
            until(f"{folder} to become empty", lambda: not (folder / "cgroup.procs").read_text())
            folder.rmdir()


def stat_of(pid):
    """The fields of /proc/PID/stat from the third on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


class Server:
    """One server with one configuration. `cores` is 1 (pinned to core 0) or all, `share` the part of a core that it
    may use if not all; `logins` is who vouches for users: files OWNER-LOGINS.* have the lines for it, and `values`
    what is filled in there."""

    def __init__(self, name, folder, program):
        self.name, self.folder, self.program = name, folder, program
        self.owner = "postern" if name == "postern" else "dovecot"
        self.process, self.how, self.group = None, None, None

    def start(self, cores, logins="files", values=None, share=None):
        """Runs it with so many cores; one that runs already is kept."""
        if self.process and self.how == (cores, logins, share):
            return
        self.stop()
        self.how, self.cores, self.logins, self.values = (cores, logins, share), cores, logins, values or {}
        # Kerberos' replay cache: a new one for each start, of any user.
        self.replays = self.folder / f"{self.name}-replays"
        self.replays.mkdir(mode=0o700)
        self.replays.chmod(0o1777)
        self.group = Group(f"postern-bench-{os.getpid()}-{self.name}", share)
        self.log = self.folder / f"{self.name}.log"
        command, self.began = self.command(), self.log.stat().st_size if self.log.exists() else 0
        if cores == 1:
            command = ["taskset", "-c", "0", *command]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(),
                                            preexec_fn=self.group.enter, start_new_session=True)
        self.group.pid = self.process.pid
        until(f"{self.name} to accept; see {self.log}", self.accepts)
        self.quiet()

    def command(self):
        values = self.values | {"folder": self.folder, "name": self.name, "cores": self.cores}
        if self.owner == "postern":
            configuration = self.folder / "postern.toml"
            self.write(configuration, ("postern.toml", f"postern-{self.logins}.toml"), values)
            return [str(self.program), "serve", "--config", str(configuration)]
        self.plain, self.implicit = free_port(), free_port()
        values |= {"plain": self.plain, "implicit": self.implicit}
        configuration = self.folder / f"{self.name}.conf"
        self.write(configuration, ("dovecot.conf", f"dovecot-{self.name}.conf", f"dovecot-{self.logins}.conf"), values)
        self.write(self.folder / f"{self.name}.conf.ext", (f"dovecot-{self.logins}.conf.ext",), values)
        return ["/usr/sbin/dovecot", "-F", "-c", str(configuration)]

    def write(self, path, templates, values):
        """One file of those templates that there are."""
        path.write_text("".join(fill_in(name, values) for name in templates if (HERE / name).exists()))

    def environment(self):
        """Where Kerberos is, for both; and what its unit sets for Postern, as Debian's sets nothing for Dovecot."""
        kerberos = {"KRB5RCACHEDIR": str(self.replays), "KRB5_CONFIG": self.values.get("KRB5_CONFIG", "/etc/krb5.conf")}
        unit = re.findall(r"^Environment=(\w+)=(.*)$", UNIT.read_text(), re.M) if self.owner == "postern" else ()
        return os.environ | kerberos | dict(unit)

    def accepts(self):
        if self.process.poll() is not None:
            said = self.log.read_bytes()[self.began:].decode(errors="replace")
            raise SystemExit(f"bench: {self.name} ended at once:\n{said}")
        if self.owner == "postern":
            said = self.log.read_bytes()[self.began:].decode(errors="replace")
            ports = re.findall(r"listening.*address=127\.0\.0\.1:(\d+)", said)
            if len(ports) < 2:
                return False
            self.plain, self.implicit = int(ports[0]), int(ports[1])
        return all(connects(port) for port in (self.plain, self.implicit))

    def quiet(self):
        """Waits until it has done what there was to do: less than 1 ms of CPU in 100 ms."""
        before = self.group.cpu()
        for _ in range(50):
            time.sleep(0.1)
            now = self.group.cpu()
            if now - before < 0.001:
                return
            before = now

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in self.group.processes():
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
        self.group.remove()
        self.process = None
        for kind in ("run", "state", "replays"):
            shutil.rmtree(self.folder / f"{self.name}-{kind}", ignore_errors=True)


def free_port():
    """Dovecot takes no port 0, so one is found for it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
