"""Compares Postern with Dovecot: see docs/performance.md for what is measured and how.

Called by script/bench, as root: Dovecot changes users, and control groups are made.
"""

import argparse
import datetime
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from mail import HASHES, Mail, certificate
from metrics import METRICS
from run import Run, choose, hash_cost

ROOT = Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(prog="script/bench", description="Measures Postern against Dovecot.")
    parser.add_argument("metric", nargs="*", help="metrics by name or by its beginning; all when none is given")
    parser.add_argument("--quick", action="store_true", help="under three minutes: few repetitions, coarse figures")
    parser.add_argument("--rounds", type=int, help="how often each is measured (5; with --quick 1)")
    parser.add_argument("--only", action="append", choices=("postern", "tuned", "multi"), help="only this server")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/ and README.md")
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and mail")
    parser.add_argument("--list", action="store_true", help="show the names of all metrics")
    for program in ("postern", "load"):
        parser.add_argument(f"--{program}", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def machine(programs, run, lines, rounds, seconds):
    """What the figures were made on, and what must be known of them."""
    def said(*command):
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()

    info = Path("/proc/cpuinfo").read_text()
    model = (re.search(r"model name\s*: (.*)", info) or ["", platform.machine()])[1]
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 1024 / 1024
    busy = run.neighbours or [0.0]
    cost = hash_cost(run, HASHES[""])
    logins = [line for line in lines if line.metric.name == "login-plain"]
    without = ", ".join(f"{name} {report.number(statistics.median(values) - cost / 1000)}"
                        for line in logins for name, values in line.values.items())
    return "\n".join((
        f"- {os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}",
        f"- {said(programs['postern'], '--version')} ({said('git', '-c', 'safe.directory=*', 'rev-parse', '--short', 'HEAD')}), "
        f"Dovecot {said('dovecot', '--version').split(' ')[0]}, {said('openssl', 'version').rsplit(' (', 1)[0]}, {said('rustc', '--version').split(' (')[0]}",
        f"- {datetime.date.today()}, rounds: {rounds} at most{', with the counts of --quick' if run.quick else ''}; "
        f"{seconds / 60:.0f} minutes; CPU from {run.cpu_from}",
        f"- other processes took {statistics.median(busy):.2f} of a core during a run (median), {max(busy):.2f} at worst",
        f"- the hash of the cheap logins takes {cost / 1000:.3f} CPU-s/1000 by itself"
        + (f"; without it a clear login takes {without}" if without else ""),
    ))


def main():
    given = arguments()
    if given.list:
        print("\n".join(f"{metric.name:16} {metric.title}" for metric in METRICS))
        return
    chosen, rounds = choose(given.metric, given.quick), given.rounds or (1 if given.quick else 5)
    if os.geteuid() != 0:
        sys.exit("bench: Dovecot and control groups need root; run script/bench as root or with sudo")
    if given.write and (given.quick or given.only or given.metric):
        sys.exit("bench: only a full run may be written; leave out --quick, --only and the metrics")
    programs = {"postern": given.postern, "load": given.load}
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))
    folder = Path(tempfile.mkdtemp(prefix="postern-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    begun = time.monotonic()
    try:
        compare(given, chosen, rounds, programs, folder, begun)
    finally:
        if given.keep:
            print(f"bench: mail, settings and logs are in {folder}")
        else:
            # Some disks take minutes for so many files; nobody need wait for that.
            subprocess.Popen(["nice", "rm", "-rf", str(folder)], start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compare(given, chosen, rounds, programs, folder, begun):
    needs = {need for metric in chosen for need in metric.needs}
    mail = Mail(folder, 300 if given.quick else 5000, 16, 40 if given.quick else 200,
                big=100_000 if "b" in needs else 0, people=(300 if given.quick else 2000) if "l" in needs else 0)
    note(f"making mail in {folder}")
    certificate(folder)
    mail.make()
    repeats = 0 if given.quick else 6 * rounds
    run = Run(mail, programs, given.quick, given.only or ["postern", "tuned", "multi"], repeats)
    lines = []
    try:
        note("opening every mailbox once")
        run.warm_up(chosen)
        for metric in chosen:
            note(f"{metric.name}, after {time.monotonic() - begun:.0f} s")
            figures = run.measure(metric, rounds)
            if figures is None:
                print(f"{metric.title}: skipped, this machine does not let caches be dropped")
                continue
            lines += (new := report.lines_of(metric, figures))
            print(report.terminal(new), end="\n\n", flush=True)
        about = machine(programs, run, lines, rounds, time.monotonic() - begun)
    finally:
        run.stop()
    print(report.terminal(lines), f"\n{about}")
    missed = [line.title for line in lines if line.verdict().startswith("NOT")]
    print(f"\n{len(missed)} goals are not held" + "".join(f"\n  {title}" for title in missed))
    if given.write:
        report.replace_between(ROOT / "docs/performance.md", f"{about}\n\n{report.markdown(lines)}")
        report.replace_between(ROOT / "README.md", report.short(lines))
        (ROOT / "docs/performance.svg").write_text(report.svg(lines))


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


main()
