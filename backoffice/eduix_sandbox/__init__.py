"""Edu-iX in small: a server of its own that shares the WSDL with the back-office, nothing more.

`server.SandboxServer` is the way in, for tests (in a thread) and for `manage.py sandbox` (a
process). Only `apps.py` and the command know Django; the validation is written from the
services' documentation and never from the back-office's own rules, so that each checks the other.
"""
