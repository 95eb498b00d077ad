"""The commands for lost data, on a master with real backups."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.errors import UserError
from pylightningd.lightningd.backup import dry_run
from pylightningd.lightningd.backup.keeper import Backups
from pylightningd.lightningd.backup.scb import decode_channel
from pylightningd.lightningd.backup.secret import read_secret
from pylightningd.lightningd.rpc.registry import convert_params, load_families
from tests.lightningd.backup.test_backups import BackupRig
from tests.lightningd.channels.rig import peer_id
from tests.regtest.reply_check import check_reply

WORDS = "hockey enroll sure trip track rescue original plate abandon abandon abandon account"
FAMILY = load_families()


class Config(dict[str, Any]):
    """What the commands read of the node's options."""

    recover_as: str | None = None

    def is_set(self, name: str) -> bool:
        return bool(self.get(name))


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BackupRig]:
    made = BackupRig(tmp_path)
    node = made.node
    node.config = Config({"recover": None, "always-use-proxy": False})
    node.wallet.max_index = 0
    node.stops = []
    node.request_stop = node.stops.append

    async def stopped() -> None:
        """At once."""

    async def listens(_address: Any) -> bool:
        return True

    node.until_stopped = stopped
    monkeypatch.setattr(dry_run, "listens", listens)
    made.unspent = SimpleNamespace(amount=Sat(1_000_000))
    yield made
    assert not made.bugs
    assert not made.failed_tasks
    made.close()


def call(rig: BackupRig, name: str, **params: Any) -> Any:
    """Call a command as the dispatcher does; the reply fits its schema. Raises UserError."""
    item = FAMILY[name]
    answering: Any = item.handler(rig.node, **convert_params(item, params))
    reply: Any = rig.wait(answering).result()
    check_reply(name, reply)
    return reply


def lost(rig: BackupRig, tmp_path: Path) -> bytes:
    """A channel that only a file elsewhere knows; the content of that file."""
    path = tmp_path / "lost"
    path.mkdir()
    other = BackupRig(path)
    other.open_channel(3)
    other.node.peers.of(peer_id(3)).reachable_address = "127.0.0.1:9999"
    other.turn(other.node.backup.changed)
    content = Path(other.node.backup.path).read_bytes()
    other.close()
    return content


def test_staticbackup_can_be_given_to_recoverchannel(rig: BackupRig, tmp_path: Path) -> None:
    channel = rig.open_channel(3)
    scb = call(rig, "staticbackup")["scb"]
    assert scb[0][16:80] == channel.channel_id.hex()
    assert call(rig, "recoverchannel", scb=scb) == {"stubs": []}
    path = tmp_path / "fresh"
    path.mkdir()
    fresh = BackupRig(path)
    told = call(fresh, "recoverchannel", scb=scb)
    assert told["stubs"] == [channel.channel_id.hex()]
    assert fresh.node.channels.get(3).is_stub
    fresh.close()


@pytest.mark.parametrize("bad", ["00", "zz", 5, ""])
def test_recoverchannel_says_which_entry_is_none(rig: BackupRig, bad: Any) -> None:
    good = call(rig, "staticbackup")["scb"]
    with pytest.raises(UserError, match=f"entry {len(good)} is no static channel backup"):
        call(rig, "recoverchannel", scb=[*good, bad])


def test_the_example_is_an_entry() -> None:
    (example,) = FAMILY["recoverchannel"].examples
    (entry,) = json.loads(shlex.split(example)[1])
    assert decode_channel(bytes.fromhex(entry)).dbid == 1


def test_dry_run_changes_nothing(rig: BackupRig, tmp_path: Path) -> None:
    file = tmp_path / "stick"
    file.write_bytes(lost(rig, tmp_path))
    told = call(rig, "emergencyrecover", dry_run=True, backup=str(file))
    (entry,) = told["dry_run"]["channels"]
    assert told["stubs"] == [entry["channel_id"]]
    assert told["dry_run"]["source"] == str(file)
    assert entry["peer_id"] == peer_id(3).hex()
    assert entry["address"] == "127.0.0.1:9999"
    assert (entry["funding_unspent"], entry["peer_reachable"]) == (True, "yes")
    assert entry["outcome"].startswith("the peer is asked to close")
    assert rig.node.channels.get(3) is None

    rig.node.config["always-use-proxy"] = True
    rig.unspent = False
    told = call(rig, "emergencyrecover", dry_run=True, backup=str(file))
    (entry,) = told["dry_run"]["channels"]
    assert (entry["funding_unspent"], entry["peer_reachable"]) == (False, "not checked")
    assert "--rescan" in entry["outcome"]

    assert call(rig, "emergencyrecover", backup=str(file))["stubs"] == [entry["channel_id"]]
    told = call(rig, "emergencyrecover", dry_run=True, backup=str(file))
    assert told["stubs"] == []
    outcome = told["dry_run"]["channels"][0]["outcome"]
    assert outcome == "nothing: the database has this channel already"


def test_backups_that_cannot_be_used(rig: BackupRig, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        call(rig, "emergencyrecover", backup=str(tmp_path / "nowhere"))
    (tmp_path / "rubbish").write_bytes(bytes(100))
    with pytest.raises(UserError, match="damaged, or of another node"):
        call(rig, "emergencyrecover", dry_run=True, backup=str(tmp_path / "rubbish"))
    assert call(rig, "emergencyrecover") == {"stubs": []}


def test_getemergencyrecoverdata(rig: BackupRig) -> None:
    channel = rig.open_channel(3)
    rig.turn(rig.node.backup.changed)
    told = call(rig, "getemergencyrecoverdata")
    assert told["filedata"] == Path(rig.node.backup.path).read_bytes().hex()
    assert told["can_create_penalty"] is True
    assert told["backed_up_channel_ids"] == [channel.channel_id.hex()]


def test_recover_asks_to_start_again(rig: BackupRig) -> None:
    told = call(rig, "recover", hsmsecret=WORDS)
    assert told == {"result": "Recovery restart in progress"}
    assert rig.node.config.recover_as == WORDS
    assert len(rig.node.stops) == 1


def test_recover_tells_what_a_backup_of_that_secret_has(rig: BackupRig, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    theirs: Any = Backups(rig.node, read_secret(WORDS).backup_key(), str(folder))
    rig.open_channel(3)
    theirs.refresh()
    told = call(rig, "recover", hsmsecret=WORDS, dry_run=True, backup=theirs.path)
    assert told["result"] == "Dry run: nothing was changed"
    assert len(told["dry_run"]["channels"]) == 1
    with pytest.raises(UserError, match="of another node"):
        call(rig, "recover", hsmsecret="11" * 32, dry_run=True, backup=theirs.path)
    assert not rig.node.stops


def test_recover_is_for_fresh_nodes(rig: BackupRig) -> None:
    with pytest.raises(UserError, match="Word 4 of the mnemonic"):
        call(rig, "recover", hsmsecret=WORDS.replace("trip", "trap!"))
    rig.node.wallet.max_index = 1
    with pytest.raises(UserError, match="already issued bitcoin addresses") as refused:
        call(rig, "recover", hsmsecret=WORDS)
    assert refused.value.code == 1600
    rig.open_channel(3)
    with pytest.raises(UserError, match="Node has channels!"):
        call(rig, "recover", hsmsecret=WORDS)
    rig.node.config["recover"] = WORDS
    with pytest.raises(UserError, match="Already doing recover"):
        call(rig, "recover", hsmsecret=WORDS)
    assert not rig.node.stops
