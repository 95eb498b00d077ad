"""Requests for payment as text: BOLT 11 invoices and what BOLT 12 puts in strings. Pure."""
