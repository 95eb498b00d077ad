"""The payer: pays invoices by trying routes until one works.

Reading order: `attempt.py` (what is tried and how it ends), `verdict.py` (who is to blame), `knowledge.py` (what is
learnt), `router.py` (where to go), `session.py` (what to do next; no I/O so far), `shell.py` (calls to the node).
"""
