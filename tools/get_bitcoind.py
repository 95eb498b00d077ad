"""Find bitcoind, or fetch a private copy of it, and print its path.

Looked at in this order: `--bitcoind`, the variable `BITCOIND`, PATH, the private copy. The private copy lives in
the user's cache folder and is unpacked from Debian's own archive with a private apt state: nothing on the system
is changed and no root is needed. The mirror is the one that the machine's apt already uses, the signatures are
checked against the archive keyring that is already installed.

    python -m tools.get_bitcoind            # prints .../bin/bitcoind
    python -m tools.get_bitcoind --cli      # prints .../bin/bitcoin-cli
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "bitcoin-knots"
SUITES = ("trixie", "trixie-backports")
# Names under which the machine's own apt may know the archive, beside its code name.
OTHER_SUITES = ("oldstable", "stable", "testing", "unstable", "sid", "forky")
KEYRING_FOLDER = Path("/usr/share/keyrings")
KEYRINGS = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
PROGRAMS = ("bitcoind", "bitcoin-cli")
# Part of the folder's name: raise it when the layout or the choice of package changes.
LAYOUT = "1"
APT_TIMEOUT_S = 300
PROBE_TIMEOUT_S = 30

ELSEWHERE = """\
bitcoind was not found, and no private copy could be made: {why}

Any bitcoind from version 25 on will do. It is usually had
  - from the project's own downloads (bitcoincore.org), checked against the published signatures,
  - on Debian as package `bitcoin-knots` (trixie-backports and later) or `bitcoind` (sid),
  - with a package manager such as Homebrew (`brew install bitcoin`), Nix or Guix.
Then put it on PATH, or name it: BITCOIND=/path/to/bitcoind"""


class NoBitcoindError(Exception):
    """bitcoind can neither be found nor fetched; the text is for the user."""


def find(explicit: str | None = None) -> Path | None:
    """The bitcoind that the user chose or has; None when there is none. Raises when a chosen one does not exist."""
    chosen = explicit or os.environ.get("BITCOIND")
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            source = "--bitcoind" if explicit else "BITCOIND"
            raise NoBitcoindError(
                f"{source} names {chosen!r}, which is not a program that can be run"
            )
        return Path(found).absolute()
    found = shutil.which("bitcoind")
    return Path(found).absolute() if found else None


def cache_folder() -> Path:
    """Where the private copy lives (XDG base directory rules)."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "pylightningd"


def get(explicit: str | None = None, *, say: bool = True) -> Path:
    """The path of a bitcoind that runs, fetching one where needed. Raises NoBitcoindError."""
    found = find(explicit)
    if found is not None:
        return found
    prefix = cache_folder() / f"bitcoind-{LAYOUT}-{os.uname().machine}"
    program = prefix / "bin" / "bitcoind"
    if program.exists():
        return program
    prefix.parent.mkdir(parents=True, exist_ok=True)
    # Two runs at once: the second waits here and then finds the first one's work.
    with open(prefix.parent / "bitcoind.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            if say:
                print("fetching a private copy of bitcoind (about 25 MB)...", file=sys.stderr)
            _install(prefix)
    return program


def bitcoin_cli(bitcoind: Path) -> Path | None:
    """The bitcoin-cli that belongs to this bitcoind: its neighbour, else the one on PATH."""
    beside = bitcoind.with_name("bitcoin-cli")
    if beside.exists():
        return beside
    found = shutil.which("bitcoin-cli")
    return Path(found) if found else None


def _install(prefix: Path) -> None:
    """Unpack the package and what it needs into `prefix`, which appears whole or not at all."""
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise NoBitcoindError(ELSEWHERE.format(why=f"this system has no {tool} (not a Debian)"))
    # Other folders beside the final one, so that the rename stays inside one file system.
    with tempfile.TemporaryDirectory(prefix="bitcoind-fetch-", dir=prefix.parent) as work_name:
        work = Path(work_name)
        tree = work / "prefix"
        tree.mkdir()
        for archive in _download(work):
            _run(["dpkg", "-x", str(archive), str(tree)])
        # The wrappers name the final place, so they are tested after the rename and taken back if they fail.
        _write_wrappers(tree, prefix)
        if prefix.exists():
            shutil.rmtree(prefix)
        tree.rename(prefix)
    try:
        _run([str(prefix / "bin" / "bitcoind"), "--version"], timeout_s=PROBE_TIMEOUT_S)
    except NoBitcoindError:
        shutil.rmtree(prefix, ignore_errors=True)
        raise


def _download(work: Path) -> list[Path]:
    """Fetch the archives with a private apt state below `work`."""
    config = _write_apt_state(work)
    apt = ["apt-get", "-q", "-c", str(config)]
    _run([*apt, "update"])
    _run([*apt, "-y", "--no-install-recommends", "--download-only", "install", PACKAGE])
    archives = sorted((work / "cache" / "archives").glob("*.deb"))
    if not archives:
        raise NoBitcoindError(ELSEWHERE.format(why="apt downloaded nothing"))
    return archives


def _write_apt_state(work: Path) -> Path:
    """Sources, lists, cache and an empty dpkg status of our own. Returns the apt configuration file.

    The machine's apt.conf.d stays in force, since proxies and certificates are set there; only hooks that would
    touch the system (containers delete downloaded archives in one) are taken out.
    """
    keyring = _keyring()
    mirror = _mirror()
    for folder in ("lists/partial", "cache/archives/partial", "etc/preferences.d", "log"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "extended_states").touch()
    sources = work / "etc" / "sources.list"
    sources.write_text(
        "".join(f"deb [signed-by={keyring}] {mirror} {suite} main\n" for suite in SUITES)
    )
    # bitcoin-knots exists in backports only; apt takes everything else from the stable suite by itself.
    # As root apt would hand the download to the user _apt, who may not enter a private folder.
    settings = {
        "Dir::State": work,
        "Dir::State::lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::State::extended_states": work / "extended_states",
        "Dir::Cache": work / "cache",
        "Dir::Cache::archives": work / "cache" / "archives",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": work / "etc" / "preferences.d",
        "Dir::Log": work / "log",
        "APT::Sandbox::User": pwd.getpwuid(os.getuid()).pw_name if os.getuid() else "root",
        "APT::Keep-Downloaded-Packages": "true",
        "APT::Get::List-Cleanup": "false",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
        "Debug::NoLocking": "true",
    }
    hooks = (
        "APT::Update::Pre-Invoke",
        "APT::Update::Post-Invoke",
        "APT::Update::Post-Invoke-Success",
        "DPkg::Pre-Invoke",
        "DPkg::Post-Invoke",
        "DPkg::Pre-Install-Pkgs",
        "Acquire::Languages",
    )
    lines = [f"#clear {hook};" for hook in hooks]
    lines += [f'{name} "{value}";' for name, value in settings.items()]
    config = work / "apt.conf"
    config.write_text("\n".join(lines) + "\n")
    return config


def _keyring() -> Path:
    for name in KEYRINGS:
        if (KEYRING_FOLDER / name).exists():
            return KEYRING_FOLDER / name
    raise NoBitcoindError(
        ELSEWHERE.format(why="the Debian archive keyring is not installed (not a Debian)")
    )


def _mirror() -> str:
    """The URI of the Debian archive in the machine's own apt configuration."""
    release = _os_release()
    if release.get("ID") != "debian":
        raise NoBitcoindError(ELSEWHERE.format(why="this system is not a Debian"))
    suites = {release.get("VERSION_CODENAME", ""), *SUITES, *OTHER_SUITES} - {""}
    # What an update would fetch: this works on a machine that has never updated (fresh containers have no lists).
    out = _run(["apt-get", "-q", "-o", "Debug::NoLocking=true", "--print-uris", "update"])
    for uri, suite in re.findall(r"^'([^']+)/dists/([^/']+)/InRelease' ", out, re.MULTILINE):
        if suite in suites:
            return str(uri)
    raise NoBitcoindError(ELSEWHERE.format(why="this machine's apt knows no Debian archive"))


def _os_release() -> dict[str, str]:
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name: " ".join(shlex.split(value)) for name, value in pairs}


def _write_wrappers(tree: Path, prefix: Path) -> None:
    """Scripts in bin/ that start the programs with the C library they were built for, not the system's.

    tree: where the files are now; prefix: where they will be.
    """
    loaders = sorted(tree.glob("usr/lib/*-linux-*/ld-linux*.so.*")) + sorted(
        tree.glob("usr/lib*/ld-linux*.so.*")
    )
    if not loaders:
        raise NoBitcoindError(
            ELSEWHERE.format(why="the downloaded packages hold no dynamic loader")
        )
    loader = prefix / loaders[0].relative_to(tree)
    folders = {path.parent for path in tree.glob("usr/lib/*-linux-*/*.so*")} | {
        tree / "usr" / "lib"
    }
    library_path = ":".join(str(prefix / folder.relative_to(tree)) for folder in sorted(folders))
    (tree / "bin").mkdir(exist_ok=True)
    for name in PROGRAMS:
        program = tree / "usr" / "bin" / name
        if not program.exists():
            raise NoBitcoindError(ELSEWHERE.format(why=f"package {PACKAGE} holds no {name}"))
        command = shlex.join(
            [str(loader), "--library-path", library_path, str(prefix / "usr" / "bin" / name)]
        )
        wrapper = tree / "bin" / name
        wrapper.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        wrapper.chmod(0o755)


def _run(command: list[str], timeout_s: float = APT_TIMEOUT_S) -> str:
    """Run a program and return what it printed. Raises NoBitcoindError with the end of its complaint."""
    env = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=env,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoBitcoindError(ELSEWHERE.format(why=str(error))) from error
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise NoBitcoindError(ELSEWHERE.format(why=f"`{shlex.join(command)}` failed:\n{tail}\n"))
    return done.stdout


def main(argv: list[str] | None = None) -> int:
    """Print the path; 1 with an explanation when there is none."""
    parser = argparse.ArgumentParser(
        prog="get_bitcoind", description=(__doc__ or "").split("\n\n", maxsplit=1)[0]
    )
    parser.add_argument("--bitcoind", metavar="PATH", help="take this one")
    parser.add_argument(
        "--cli", action="store_true", help="print the path of its bitcoin-cli instead"
    )
    args = parser.parse_args(argv)
    try:
        path: Path | None = get(args.bitcoind)
    except NoBitcoindError as error:
        print(error, file=sys.stderr)
        return 1
    if args.cli and path is not None:
        path = bitcoin_cli(path)
    if path is None:
        print("no bitcoin-cli beside bitcoind or on PATH", file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
