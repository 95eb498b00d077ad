#!/usr/bin/env python3
"""A plugin as its authors write them: options, methods, hooks, notifications."""

from pyln.client import Plugin

plugin = Plugin()
plugin.add_option("greeting", "Hello", "What to say.")
plugin.add_option("many", None, "May be given often.", opt_type="string", multi=True)
plugin.add_flag_option("shout", "In capitals.")


@plugin.init()
def init(options, configuration, plugin, **kwargs):
    plugin.node_id = plugin.rpc.getinfo()["id"]
    plugin.log(f"ready with {options['greeting']} on {configuration['network']}")


@plugin.method("greet")
def greet(plugin, name="world"):
    """Say something nice."""
    text = f"{plugin.get_option('greeting')} {name}"
    return text.upper() if plugin.get_option("shout") else text


@plugin.method("fails")
def fails(plugin):
    """Fail."""
    raise ValueError("on purpose")


@plugin.async_method("later")
def later(plugin, request):
    """Answer through the request."""
    request.set_result({"later": True, "node": plugin.node_id})


@plugin.hook("peer_connected")
def hook_peer(plugin, peer, **kwargs):
    plugin.log(f"hook peer_connected {peer['id']}")
    return {"result": "continue"}


@plugin.hook("openchannel")
def hook_open(plugin, openchannel, **kwargs):
    plugin.log(f"hook openchannel {openchannel['funding_msat']}")
    return {"result": "continue"}


@plugin.hook("htlc_accepted")
def hook_htlc(plugin, onion, htlc, **kwargs):
    plugin.log(f"hook htlc_accepted {htlc['amount_msat']}")
    return {"result": "continue"}


@plugin.hook("invoice_payment")
def hook_invoice(plugin, payment, **kwargs):
    plugin.log(f"hook invoice_payment {payment['label']}")
    return {"result": "reject" if payment["label"] == "unwanted" else "continue"}


@plugin.subscribe("connect")
def on_connect(plugin, connect, **kwargs):
    plugin.log(f"saw connect {connect['id']}")


@plugin.subscribe("disconnect")
def on_disconnect(plugin, disconnect, **kwargs):
    plugin.log(f"saw disconnect {disconnect['id']}")


@plugin.subscribe("channel_state_changed")
def on_state(plugin, channel_state_changed, **kwargs):
    plugin.log(f"saw state {channel_state_changed['new_state']}")


@plugin.subscribe("invoice_payment")
def on_paid(plugin, invoice_payment, **kwargs):
    plugin.log(f"saw invoice_payment {invoice_payment['label']}")


@plugin.subscribe("block_added")
def on_block(plugin, block_added, **kwargs):
    plugin.log(f"saw block {block_added['height']}")


plugin.run()
