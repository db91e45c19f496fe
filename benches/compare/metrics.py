"""What is measured, how, and which goals it must meet. One `Metric` is one load; its rows are its figures.

A goal is a ratio: Postern's figure by that of Dovecot, of paired runs. It never weighs figures of
different machines or days against each other.
"""

import time
from dataclasses import dataclass
from typing import Callable

from mail import PRINCIPALS
from realm import PASSWORD


@dataclass(frozen=True)
class Row:
    """One figure, with the ratios to `tuned` and `multi` (or the figure itself) that must hold."""
    unit: str
    tuned: float | None = None
    multi: float | None = None
    absolute: float | None = None
    more: bool = False
    title: str = ""


@dataclass(frozen=True)
class Metric:
    name: str
    title: str
    measure: Callable
    rows: tuple
    servers: tuple = ("postern", "tuned", "multi")
    rounds: int = 99
    needs: tuple = ("u",)
    full_only: bool = False
    chart: bool = True


def login(tls="none", *, job="login", count=4000, resume=False):
    def measure(run, server):
        run.start(server, cores=1)
        count_now = run.scaled(count)
        users = ["--users", f"u:{run.mail.users}", "--count", count_now, "--clients", 8]
        result = run.load(server, job, *users, *(["--resume"] if resume else []), tls=tls, cores=1)
        per_thousand = result["cpu"] / count_now * 1000
        return (per_thousand, result["resumed"] / count_now * 100) if resume else (per_thousand,)
    return measure


def ntlm(tls="none"):
    """Beside AUTH PLAIN of the same users, whose hash is the cheapest."""
    def measure(run, server):
        run.start(server, cores=1, logins="ntlm")
        count = run.scaled(4000)
        users = ["--users", f"u:{run.mail.users}", "--count", count, "--clients", 8]
        costs = [run.load(server, "login", *users, "--mechanism", mechanism, tls=tls, cores=1)["cpu"] / count * 1000
                 for mechanism in ("ntlm", "plain")]
        return *costs, costs[0] / costs[1]
    return measure


def gssapi(run, server):
    run.start(server, cores=1, logins="gssapi")
    count = run.scaled(2000)
    users = ["--users", f"k:{len(PRINCIPALS)}", "--count", count, "--clients", 8]
    return (run.load(server, "login", *users, "--mechanism", "gssapi", cores=1)["cpu"] / count * 1000,)


def crowd(run, count):
    """500 clients at once, two from each address."""
    return ["--users", f"u00001:{run.mail.people}", "--password", PASSWORD, "--count", count, "--clients", 500,
            "--source", "127.0.1.1", "--sources", 250]


def ldap_share(run, server):
    """The server may use half a core. So neither the directory nor the clients, which have the rest, are ever what
    bounds the rate: they are on the same machine here alone."""
    run.start(server, cores=2, logins="ldap", share=0.5)
    count = run.scaled(3000)
    result = run.load(server, "login", *crowd(run, count))
    return count / result["seconds"], result["p50"], result["cpu"] / count * 1000


def ldap(run, server):
    """The crowd, while others in sessions that are open already say NOOP."""
    run.start(server, cores=2, logins="ldap")
    count = run.scaled(12_000)
    with run.noops(server, "--users", "u00001:16", "--password", PASSWORD) as noops:
        result = run.load(server, "login", *crowd(run, count))
    return (count / result["seconds"], result["p50"], result["p99"], noops["p99"],
            result["cpu"] / count * 1000, result["slapd"] / count * 1000, run.directory_alone(count))


def fetch(tls="none", *, users="f", depth=1, passes=4, cores=1, per_gigabyte=True):
    def measure(run, server):
        run.start(server, cores=cores)
        arguments = ["--users", f"{users}:{run.mail.fetchers}", "--clients", run.mail.fetchers,
                     "--depth", depth, "--passes", passes]
        result = run.load(server, "fetch", *arguments, tls=tls, cores=cores)
        run.same(f"octets of {users}", result["octets"] / result["operations"])
        if not per_gigabyte:
            return result["cpu"] / result["operations"] * 1000, result["operations"] / result["seconds"]
        speed = result["octets"] / result["seconds"] / 1e6
        return (speed,) if cores != 1 else (result["cpu"] / result["octets"] * 1e9, speed)
    return measure


def verify(run, server):
    found = 0
    run.start(server, cores=1)
    for tls in ("none", "stls", "implicit"):
        for users in ("f", "s"):
            arguments = ["--users", f"{users}:{run.mail.fetchers}", "--clients", run.mail.fetchers,
                         "--mail", run.mail.folder / "mail" / run.servers[server].owner]
            found += run.load(server, "verify", *arguments, tls=tls, cores=1)["operations"]
    return (found,)


def memory(tls="none", log_in=False):
    def measure(run, server):
        count = 300 if run.quick else 1000
        arguments = ["--count", count, "--users", f"u:{run.mail.users}", *(["--log-in"] if log_in else [])]
        pss, kernel, _ = run.memory(server, arguments, tls)
        return (pss + kernel) / count, pss / count
    return measure


def open_many(run, server):
    count = 500 if run.quick else 5000
    arguments = ["--count", count, "--users", f"u:{run.mail.users}", "--log-in", "--clients", 16]
    pss, _, result = run.memory(server, arguments, "implicit")
    return result["seconds"], pss / 1024


def big(user, prepare):
    """`prepare` is one of: first, cold, warm, new."""
    def measure(run, server):
        owner = run.servers[server].owner
        if prepare in ("first", "cold"):
            run.servers[server].stop()
            run.mail.forget(owner, user)
        if prepare == "first":
            run.mail.touch(owner, user)
        run.start(server, cores=2)
        if prepare in ("warm", "new"):
            run.load(server, "big", "--users", user)
            # A folder that was changed within the last seconds is read again by any server.
            changed = max((run.mail.maildir(owner, user) / name).stat().st_mtime for name in ("cur", "new"))
            time.sleep(max(0.0, changed + 3 - time.time()))
        if prepare == "new":
            run.mail.deliver(owner, user)
        if prepare == "cold" and not run.drop_caches():
            return None
        result = run.load(server, "big", "--users", user)
        run.expect(result["messages"], run.mail.count(owner, user), f"messages of {user}")
        return (result["whole_ms"], result["cpu"], *(result[f"{name}_ms"] for name in ("stat", "list", "uidl")))
    return measure


def big_memory(run, server):
    run.start(server, cores=1)
    run.load(server, "big", "--users", "b", cores=1)
    pss, kernel, _ = run.memory(server, ["--count", 1, "--users", "b", "--log-in", "--list"], "none")
    return ((pss + kernel) * 1024 / run.mail.big,)


def rate(users="u", tls="none", count=8000, clients=16):
    def measure(run, server):
        run.start(server, cores=2)
        names = f"u:{run.mail.users}" if users == "u" else f"{users}:16"
        result = run.load(server, "login", "--users", names, "--count", run.scaled(count), "--clients", clients, tls=tls)
        return (result["operations"] / result["seconds"],)
    return measure


def paced(what, tls, per_second, count, beside=None):
    def measure(run, server):
        run.start(server, cores=2)
        arguments = ["--what", what, "--rate", per_second, "--count", run.scaled(count), "--users", f"u:{run.mail.users}",
                     "--source", "127.0.1.1", "--sources", 200]
        with run.beside(server, beside):
            result = run.load(server, "paced", *arguments, tls=tls)
        return result["p50"], result["p99"]
    return measure


CPU = "CPU-s/1000"
BIG = tuple(Row("ms", title=name) for name in ("STAT", "LIST", "UIDL"))
NTLM = (Row(CPU), Row(CPU, title="AUTH PLAIN"), Row("times", title="by AUTH PLAIN"))
ONE = ("postern", "tuned")

METRICS = [
    Metric("verify", "every message right (sha256), clear, STLS, TLS", verify, (Row("messages"),), needs=("f", "s"), rounds=1),
    Metric("login-plain", "login, clear", login(), (Row(CPU, 0.20, 0.33),)),
    Metric("login-stls", "login, STLS, TLS 1.3 full", login("stls"), (Row(CPU, 0.20, 0.24),)),
    Metric("login-tls", "login, TLS 1.3 full", login("implicit"), (Row(CPU, 0.20, 0.24),)),
    Metric("login-resumed", "login, TLS 1.3 resumed", login("implicit", resume=True),
           (Row(CPU, 0.19, 0.22), Row("% resumed", absolute=95, more=True))),
    Metric("login-ntlm", "login by NTLM, clear", ntlm(), NTLM, servers=("postern",)),
    Metric("login-ntlm-tls", "login by NTLM, TLS 1.3 full", ntlm("implicit"), NTLM, servers=("postern",)),
    Metric("login-gssapi", "login by GSSAPI, clear", gssapi, (Row(CPU, 0.65),), servers=ONE, needs=("k",)),
    Metric("session-plain", "session, clear", login(job="session", count=3000), (Row(CPU, 0.25, 0.40),)),
    Metric("session-tls", "session, TLS", login("implicit", job="session", count=3000), (Row(CPU, 0.20, 0.26),)),
    Metric("fetch-plain", "fetch, clear", fetch(), (Row("CPU-s/GB", 0.28, 0.30), Row("MB/s")), needs=("f",)),
    Metric("fetch-plain-x8", "fetch, clear, 8 in flight", fetch(depth=8),
           (Row("CPU-s/GB", 0.28, 0.30), Row("MB/s")), needs=("f",)),
    Metric("fetch-tls", "fetch, TLS", fetch("implicit"), (Row("CPU-s/GB", 0.18, 0.18), Row("MB/s")), needs=("f",)),
    Metric("fetch-tls-x8", "fetch, TLS, 8 in flight", fetch("implicit", depth=8),
           (Row("CPU-s/GB", 0.18, 0.18), Row("MB/s")), needs=("f",)),
    Metric("fetch-small", "fetch of 2 to 8 KB", fetch(users="s", passes=8, per_gigabyte=False),
           (Row(CPU, 0.35, 0.45), Row("messages/s")), needs=("s",)),
    Metric("fetch-small-x8", "fetch of 2 to 8 KB, 8 in flight", fetch(users="s", depth=8, passes=8, per_gigabyte=False),
           (Row(CPU, 0.35, 0.45), Row("messages/s")), needs=("s",)),
    Metric("idle-plain", "idle before login, clear", memory(), (Row("KiB", 0.75, 0.75), Row("KiB", title="PSS alone")), rounds=2),
    Metric("idle-tls", "idle before login, TLS", memory("implicit"),
           (Row("KiB", 0.35, 0.35), Row("KiB", title="PSS alone")), rounds=2),
    Metric("idle-plain-in", "idle after login, clear", memory(log_in=True),
           (Row("KiB", 0.03, 0.12), Row("KiB", title="PSS alone")), rounds=2),
    Metric("idle-tls-in", "idle after login, TLS", memory("implicit", log_in=True),
           (Row("KiB", 0.04, 0.13), Row("KiB", title="PSS alone")), rounds=2),
    Metric("big-memory", "open big mailbox", big_memory, (Row("octets/message", absolute=64),),
           servers=ONE, rounds=2, needs=("b",), chart=False),
    Metric("big-cold", "big mailbox, first ever, not cached", big("b", "cold"), (Row("ms", 0.35), Row("CPU-s"), *BIG),
           servers=ONE, rounds=2, needs=("b",), full_only=True),
    Metric("big-first", "big mailbox, first ever, bare names", big("b", "first"),
           (Row("ms", 0.6), Row("CPU-s", 0.9), *BIG), servers=ONE, rounds=3, needs=("b",)),
    Metric("big-first-sizes", "big mailbox, first ever, S= and W= names", big("w", "first"),
           (Row("ms", 0.4), Row("CPU-s"), *BIG), servers=ONE, rounds=3, needs=("b",)),
    Metric("big-warm", "big mailbox, warm", big("b", "warm"), (Row("ms", 0.3), Row("CPU-s"), *BIG),
           servers=ONE, rounds=5, needs=("b",)),
    Metric("big-new", "big mailbox, one new message", big("b", "new"), (Row("ms", 0.35), Row("CPU-s"), *BIG),
           servers=ONE, rounds=5, needs=("b",)),
    Metric("rate-plain", "two cores: logins, clear", rate(), (Row("/s", 4, 2.6, more=True),)),
    Metric("rate-tls", "two cores: logins, TLS", rate(tls="implicit"), (Row("/s", 3.5, 2.5, more=True),)),
    Metric("speed-plain", "two cores: fetch, clear", fetch(cores=2), (Row("MB/s", 2.5, 1.7, more=True),), needs=("f",)),
    Metric("speed-tls", "two cores: fetch, TLS", fetch("implicit", cores=2), (Row("MB/s", 4.0, 3.7, more=True),), needs=("f",)),
    Metric("paced-tls", "two cores: TLS session at 100/s", paced("session", "implicit", 100, 1000),
           (Row("ms p50", 0.6), Row("ms p99", 0.7)), servers=ONE, rounds=3),
    Metric("hash-sha512", "two cores: logins with SHA512-CRYPT", rate("sha512-", count=2000, clients=8),
           (Row("/s", 1.8, more=True),), servers=ONE, rounds=3, needs=("u", "h")),
    Metric("hash-bcrypt", "two cores: logins with bcrypt 10", rate("bcrypt-", count=120, clients=8),
           (Row("/s", 1.8, more=True),), servers=ONE, rounds=3, needs=("u", "h")),
    Metric("beside-bcrypt", "two cores: cheap login beside four of bcrypt 10",
           paced("login", "none", 50, 500, beside="bcrypt-:16"), (Row("ms p50", 0.05), Row("ms p99")),
           servers=ONE, rounds=2, needs=("u", "h")),
    Metric("ldap-share", "half a core: 500 clients log in by an LDAP bind", ldap_share,
           (Row("/s", 5, more=True), Row("ms p50"), Row(CPU)), rounds=2, needs=("l",)),
    Metric("ldap-bind", "two cores: 500 clients log in by an LDAP bind", ldap,
           (Row("/s"), Row("ms p50"), Row("ms p99"), Row("ms p99", title="NOOP meanwhile"),
            Row(CPU), Row(CPU, title="slapd"), Row("/s", title="slapd alone")), rounds=3, needs=("l",)),
    Metric("open-many", "5000 opened with TLS and login, 16 at a time (500 with --quick)", open_many,
           (Row("s", 0.25), Row("MiB", absolute=150)), rounds=1),
]
