"""Descriptions are picked out of BOLT texts; the rest of the text is left."""

from __future__ import annotations

from pathlib import Path

from tools.extract_csv import onion_csv, peer_csv, read_bolt
from tools.generate_wire.read_csv import parse

_TEXT = """
### The `greet` Message

1. type: 128 (`greet`) (`option_polite`)
2. data:
   * [`channel_id`:`channel_id`]
   * [`u16`:`len`]
   * [`len*byte`:`words`]

1. `tlv_stream`: `greet_tlvs`
2. types:
    1. type: 1 (`hold`)
    2. data:
        * [`20*u32`:`times`]
        * [`210*sha256[..4]`:`hmacs`]
    1. type: 2 (`loud`)

#### Requirements

1. pending on the receiver
   * [`u16`:`not_a_field`]
"""
_FAILURES = """
1. type: `onion_packet`
2. data:
   * [`byte`:`version`]

1. type: BADONION|PERM|4 (`bad_version`)
2. data:
   * [`sha256`:`hash`]

1. type: 513 (`onion_message`)
2. data:
    * [`point`:`path_key`]
"""


def test_a_message_gets_the_stream_that_the_text_does_not_list() -> None:
    assert peer_csv({2: read_bolt(2, _TEXT)}).splitlines() == [
        "# BOLT 2. Needs `option_polite`.",
        "msgtype,greet,128",
        "msgdata,greet,channel_id,channel_id,",
        "msgdata,greet,len,u16,",
        "msgdata,greet,words,byte,len",
        "msgdata,greet,tlvs,greet_tlvs,",
        "tlvtype,greet_tlvs,hold,1",
        "tlvdata,greet_tlvs,hold,times,u32,20",
        "tlvdata,greet_tlvs,hold,hmacs,byte,840",
        "tlvtype,greet_tlvs,loud,2",
    ]


def test_failure_codes_are_summed_up_and_structures_without_number_left_out() -> None:
    spec = parse(onion_csv({4: read_bolt(4, _FAILURES)}))
    assert {group.name: group.number for group in spec.messages.values()} == {"bad_version": 0xC004}
    assert list(parse(peer_csv({4: read_bolt(4, _FAILURES)})).messages) == ["onion_message"]


def test_committed_csvs_know_every_message_we_speak() -> None:
    folder = Path(__file__).parents[2] / "tools/wire"
    peer = parse((folder / "peer.csv").read_text())
    assert peer.messages["update_add_htlc"].number == 128
    assert peer.messages["onion_message"].number == 513
    assert len(peer.messages) == 50
    onion = parse((folder / "onion.csv").read_text())
    assert onion.messages["incorrect_or_unknown_payment_details"].number == 0x400F
    assert {"payload", "encrypted_data_tlv", "onionmsg_tlv"} <= set(onion.streams)
