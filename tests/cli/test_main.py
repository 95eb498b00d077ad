"""lightning-cli as a whole, against a scripted server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pylightningd.cli.main import main
from pylightningd.common.version import VERSION
from tests.cli.fake_server import FakeServer


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short path: a unix socket's name has at most 107 bytes."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="cli") as folder:
        monkeypatch.setenv("HOME", folder)
        yield Path(folder)
        os.chdir(before)


Serve = Callable[..., "contextmanager[FakeServer]"]


@pytest.fixture
def serve(home: Path):
    @contextmanager
    def start(answer: str, network: str = "regtest", **more: int) -> Iterator[FakeServer]:
        folder = home / ".lightning" / network
        folder.mkdir(parents=True)
        server = FakeServer(folder / "lightning-rpc", answer, **more)
        try:
            yield server
        finally:
            server.close()

    return start


def ok(result: str) -> str:
    return f'{{"jsonrpc":"2.0","id":$ID,"result":{result}}}\n\n'


def failure(error: str) -> str:
    return f'{{"jsonrpc":"2.0","id":$ID,"error":{error}}}\n\n'


def test_result_is_laid_out_as_json(serve, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(
        ok('{"id":"02aa","n":[1,2],"time":1700000000.120,"none":[],"text":"é\\n"}')
    ) as server:
        assert main(["--network=regtest", "getinfo"]) == 0
    assert capsys.readouterr().out == (
        '{\n   "id": "02aa",\n   "n": [\n      1,\n      2\n   ],\n   "time": 1700000000.120,\n'
        '   "none": [],\n   "text": "é\\n"\n}\n'
    )
    assert server.requests[0]["method"] == "getinfo"
    assert server.requests[0]["params"] == []
    assert server.requests[0]["id"] == f"cli:getinfo#{os.getpid()}"


def test_options_may_follow_the_command(serve) -> None:
    with serve(ok("{}")) as server:
        assert main(["invoice", "1000", "--network", "regtest", "lbl", "-J", "desc"]) == 0
    assert server.requests[0]["params"] == [1000, "lbl", "desc"]


def test_keywords(serve) -> None:
    with serve(ok("{}")) as server:
        assert main(["--regtest", "-k", "invoice", "amount_msat=any", "label=01", "expiry=60"]) == 0
    assert server.requests[0]["params"] == {"amount_msat": "any", "label": "01", "expiry": 60}


def test_error_exits_1(serve, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(failure('{"code":-32601,"message":"Unknown command \'x\'"}')):
        assert main(["--regtest", "x"]) == 1
    assert (
        capsys.readouterr().out
        == '{\n   "code": -32601,\n   "message": "Unknown command \'x\'"\n}\n'
    )


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("-R", '{"a":{"b":[1,"x\\ty"]}, "c":true}\n'),
        ("-F", "a.b[0]=1\na.b[1]=x\\ty\nc=true\n"),
        ("-H", "a=1\nx\ty\nc=true\n"),
    ],
)
def test_output_forms(serve, capsys: pytest.CaptureFixture[str], flag: str, expected: str) -> None:
    with serve(ok('{"a":{"b":[1,"x\\ty"]}, "c":true}')):
        assert main(["--regtest", flag, "x"]) == 0
    assert capsys.readouterr().out == expected


def test_raw_error(serve, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(failure('{"code":1,"message":"m"}')):
        assert main(["--regtest", "-R", "x"]) == 1
    assert capsys.readouterr().out == '{"code":1,"message":"m"}\n'


def test_format_hint_makes_it_human(serve, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(ok('{"text":"two\\nlines","format-hint":"simple"}')):
        assert main(["--regtest", "x"]) == 0
    assert capsys.readouterr().out == "two\nlines\n"


def test_help_is_sorted(serve, capsys: pytest.CaptureFixture[str]) -> None:
    commands = '{"help":[{"command":"dev-x","category":"developer"},{"command":"pay bolt11"},{"command":"close id"}]}'
    with serve(ok(commands)):
        assert main(["--regtest", "help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("close id\n\npay bolt11\n\ndev-x\n\n---\n")


def test_help_of_one_command_asks_lightningd(serve, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    answer = '{"help":[{"command":"pay bolt11"}],"format-hint":"simple"}'
    with serve(ok(answer)) as server:
        assert main(["--regtest", "help", "pay"]) == 0
    assert capsys.readouterr().out == "pay bolt11\n"
    assert server.requests[0]["params"] == ["pay"]


def test_notifications_are_shown_from_their_level_on(serve, capsys) -> None:
    def note(level: str, text: str) -> str:
        return f'{{"jsonrpc":"2.0","method":"message","params":{{"level":"{level}","message":"{text}"}}}}\n\n'

    with serve(note("debug", "hidden") + note("unusual", "shown") + ok("{}")):
        assert main(["--regtest", "x"]) == 0
    assert capsys.readouterr().out == "# shown\n{}\n"


def test_progress_bar(serve, capsys) -> None:
    bars = "".join(
        f'{{"jsonrpc":"2.0","method":"progress","params":{{"num":{n},"total":2}}}}\n\n'
        for n in (0, 1)
    )
    with serve(bars + ok("{}")):
        assert main(["--regtest", "x"]) == 0
    assert capsys.readouterr().out == f"\r# 1/2 |{' ' * 60}|\r# 2/2 |{'=' * 60}|\n{{}}\n"


def test_no_notifications_wanted(serve, capsys) -> None:
    note = '{"jsonrpc":"2.0","method":"message","params":{"level":"broken","message":"hidden"}}\n\n'
    with serve(note + ok("{}")):
        assert main(["--regtest", "-N", "none", "x"]) == 0
    assert capsys.readouterr().out == "{}\n"


def test_filter_and_commando(serve) -> None:
    peer = "02" * 33
    with serve(ok("{}")) as server:
        assert main(["--regtest", '-l{"id":true}', "-c", f"{peer}:rune=", "getinfo", "a=1"]) == 0
    assert server.requests[0]["method"] == "commando"
    assert server.requests[0]["params"] == {
        "peer_id": peer,
        "method": "getinfo",
        "filter": {"id": True},
        "rune": "rune=",
        "params": {"a": 1},
    }


def test_filter(serve) -> None:
    with serve(ok("{}")) as server:
        assert main(["--regtest", "--filter", '{"id":true}', "getinfo"]) == 0
    assert server.requests[0]["filter"] == {"id": True}


def test_reply_in_small_pieces(serve, capsys) -> None:
    with serve(ok('{"a":"é{}€"}'), piece_bytes=1) as _:
        assert main(["--regtest", "-R", "x"]) == 0
    assert capsys.readouterr().out == '{"a":"é{}€"}\n'


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("", "reading response: socket closed"),
        ("[1}", "Malformed response"),
        ('{"jsonrpc":"2.0","id":"other","result":{}}', "Incorrect 'id' (other)"),
        ('{"jsonrpc":"2.0","result":{}}', "Missing 'id'"),
        ('{"jsonrpc":"2.0","id":$ID}', "Either 'result' or 'error'"),
    ],
)
def test_nonsense_from_the_server_exits_2(serve, capsys, answer: str, complaint: str) -> None:
    with serve(answer):
        assert main(["--regtest", "x"]) == 2
    assert complaint in capsys.readouterr().err


def test_not_running(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".lightning" / "bitcoin").mkdir(parents=True)
    assert main(["getinfo"]) == 2
    err = capsys.readouterr().err
    assert "Connecting to 'lightning-rpc': No such file or directory" in err
    assert "Is lightningd running? Start it with: lightningd --network=bitcoin\n" in err


def test_other_network_is_suggested(serve, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / ".lightning" / "signet").mkdir(parents=True)
    (home / ".lightning" / "signet" / "lightning-rpc").touch()
    assert main(["getinfo"]) == 2
    assert "try --network=signet" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["--nonsense", "x"],
        ["-x"],
        ["x", "{1}"],
        ["-k", "x", "y"],
        ["--network=mars", "x"],
        ["-N", "loud", "x"],
        ["-c", "02:r", "x"],
        ["--json=1", "x"],
    ],
)
def test_wrong_calls_exit_3(
    home: Path, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 3
    assert capsys.readouterr().err.startswith("lightning-cli: ")


def test_config_files_choose_the_network_and_socket(serve, home: Path) -> None:
    with serve(ok("{}"), network="signet"):
        (home / ".lightning" / "config").write_text("# mine\ninclude more\n")
        (home / ".lightning" / "more").write_text("alias=x\nsignet\n")
        (home / ".lightning" / "signet" / "lightning-rpc").rename(
            home / ".lightning" / "signet" / "sock"
        )
        (home / ".lightning" / "signet" / "config").write_text("rpc-file=sock\nnetwork=regtest\n")
        assert main(["x"]) == 0


def test_explicit_config_file_and_absolute_socket(serve, home: Path) -> None:
    with serve(ok("{}")):
        socket_path = home / ".lightning" / "regtest" / "lightning-rpc"
        (home / "my.conf").write_text(f"rpc-file={socket_path}\n")
        assert main([f"--conf={home}/my.conf", "x"]) == 0


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == VERSION + "\n"


def test_start_loads_little(home: Path) -> None:
    """What makes a start slow is what it imports: none of the standard library's heavy modules (`make bench` has the time)."""
    script = (
        "import sys\nfrom pylightningd.cli.main import main\nmain(['getinfo'])\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOME": str(home)},
        cwd=Path(__file__).parents[2],
    )
    loaded = set(done.stdout.split())
    assert "pylightningd.cli.connection_io" in loaded
    heavy = {"argparse", "ast", "asyncio", "dataclasses", "enum", "inspect", "json", "logging"}
    heavy |= {"pathlib", "random", "re", "selectors", "shutil", "socket", "ssl", "subprocess"}
    heavy |= {"tempfile", "threading", "typing", "urllib", "zipfile"}
    assert not loaded & heavy
    assert {name for name in loaded if name.startswith("pylightningd")} <= {
        "pylightningd",
        "pylightningd.cli",
        *(f"pylightningd.cli.{file.stem}" for file in Path(__file__).parents[2].glob("cli/*.py")),
    }
