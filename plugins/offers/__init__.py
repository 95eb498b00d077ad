"""The bundled plugin `offers`: makes BOLT 12 offers and answers those who take them up, fetches invoices for others' offers.

Pure: `drafts` (what we publish), `request` (asking for an invoice, checking it), `answer` (being asked), `pay_request`
(invoices that answer a published invoice request), `route` (ways for onion messages), `mail` (their bytes), `unpaid`
(the bound on invoices). `shell` does the rest, `__main__` declares the commands.
"""
