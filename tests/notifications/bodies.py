"""Bodies that a sender may deliver, and the place of each on the ladder of answers."""

from __future__ import annotations

from tests.notifications.sending import PASSWORD, SOAP, envelope

GOOD = envelope("specification_accepted")
LOGIN_HEADER = GOOD[GOOD.index(b"<soap:Header>") : GOOD.index(b"</soap:Header>") + 14]
SECRET = PASSWORD.encode()

# Files in tests/envelopes that must be answered 200.
ACCEPTED = [
    "specification_accepted",
    "specification_fault",
    "specification_school",
    "specification_returned",
    "prematch_linked",
    "prematch_unlinked",
    "specification_43",
    "prematch_43",
    "stack_php",
    "stack_php_untyped_header",
    "stack_gsoap",
    "stack_dotnet",
    "stack_jaxws",
    "stack_perl_soap_lite",
    "stack_unqualified",
]

# Answered with a plain 400.
NOT_XML = [
    b"",
    b"   ",
    b"hello",
    b'{"a": 1}',
    b"<a>",
    b"<a></b>",
    b"<a>&nope;</a>",
    b"\0" + GOOD,
    GOOD.replace(b"C-1001", b"C-\xff"),
    GOOD + b"<more/>",
    GOOD[:-20],
    GOOD.replace(b"Active", b"&#0;"),
    GOOD.replace(b'encoding="UTF-8"', b'encoding="UTF-7"'),
    GOOD.replace(b"xmlns:n=", b"xmlns:m="),
]

DEEP = b"<a>" * 300 + b"</a>" * 300
# What it is, the body, the SOAP faultcode and the code of Edu-iX; no row.
IN_ENVELOPE = [
    (
        "soap 1.2",
        GOOD.replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
        "VersionMismatch",
        6,
    ),
    (
        "no namespace",
        GOOD.replace(f' xmlns:soap="{SOAP}"'.encode(), b"").replace(b"soap:", b""),
        "VersionMismatch",
        6,
    ),
    ("another root", b"<hello/>", "Client", 6),
    (
        "must understand",
        GOOD.replace(
            b"<soap:Header>", b'<soap:Header><x:Security xmlns:x="urn:x" soap:mustUnderstand="1"/>'
        ),
        "MustUnderstand",
        6,
    ),
    ("dtd", GOOD.replace(b"?>", b"?><!DOCTYPE x>", 1), "Client", 6),
    ("dtd after a comment", GOOD.replace(b"?>", b"?><!-- <a> --> <!DOCTYPE x>", 1), "Client", 6),
    (
        "entity bomb",
        GOOD.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>', 1).replace(
            b"C-1001", b"&b;"
        ),
        "Client",
        6,
    ),
    (
        "external entity",
        GOOD.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', 1).replace(
            b"C-1001", b"&a;"
        ),
        "Client",
        6,
    ),
    ("instruction inside", GOOD.replace(b"Active", b"Act<?php x ?>ive"), "Client", 6),
    ("instruction before", GOOD.replace(b"?>", b"?><?xml-stylesheet href='x'?>", 1), "Client", 6),
    ("instruction after", GOOD + b"<?x y?>", "Client", 6),
    ("no body", GOOD[: GOOD.index(b"<soap:Body>")] + b"</soap:Envelope>", "Client", 6),
    ("empty body", GOOD[: GOOD.index(b"<n:spec")] + b"</soap:Body></soap:Envelope>", "Client", 6),
    ("two bodies", GOOD.replace(b"</soap:Envelope>", b"<soap:Body/></soap:Envelope>"), "Client", 6),
    (
        "two operations",
        GOOD.replace(b"</soap:Body>", b"<n:prematchChangedRequest/></soap:Body>"),
        "Client",
        6,
    ),
    (
        "body before header",
        GOOD.replace(LOGIN_HEADER, b"").replace(b"</soap:Body>", b"</soap:Body>" + LOGIN_HEADER),
        "Client",
        6,
    ),
    (
        "something after body",
        GOOD.replace(b"</soap:Envelope>", b"<n:x/></soap:Envelope>"),
        "Client",
        6,
    ),
    ("text in the body", GOOD.replace(b"<soap:Body>", b"<soap:Body>hello"), "Client", 6),
    ("two logins", GOOD.replace(b"</soap:Header>", b"<n:loginHeader/></soap:Header>"), "Client", 6),
    ("too deep", GOOD.replace(b"Active", DEEP), "Client", 6),
    (
        "another operation",
        GOOD.replace(b"specificationChangedRequest", b"getPersonRequest"),
        "Client",
        10,
    ),
    (
        "without namespace",
        GOOD.replace(b"n:specificationChangedRequest", b"specificationChangedRequest"),
        "Client",
        10,
    ),
    ("version 5", GOOD.replace(b"types:4.0", b"types:5.1"), "Client", 10),
    ("long user", GOOD.replace(b">eduix<", b">" + b"e" * 101 + b"<"), "Client", 4702),
    ("long password", GOOD.replace(PASSWORD.encode(), b"p" * 65), "Client", 4682),
    ("user no string", GOOD.replace(b">eduix<", b"><n:b>eduix</n:b><"), "Client", 4705),
    ("password no string", GOOD.replace(PASSWORD.encode(), b"<n:b/>"), "Client", 4685),
    ("wrong user", GOOD.replace(b">eduix<", b">somebody<"), "Client", 2),
    ("wrong password", GOOD.replace(PASSWORD.encode(), b"something"), "Client", 2),
    ("empty password", GOOD.replace(PASSWORD.encode(), b""), "Client", 2),
    ("no login", GOOD.replace(LOGIN_HEADER, b""), "Client", 2),
    (
        "login in another namespace",
        GOOD.replace(b"<n:loginHeader>", b'<x:loginHeader xmlns:x="urn:x">').replace(
            b"</n:loginHeader>", b"</x:loginHeader>"
        ),
        "Client",
        2,
    ),
]


# What it is, the body, the reason that is kept and the subject; a row `invalid`.
INVALID = [
    (
        "no key",
        GOOD.replace(b"<n:distributorCreditID>C-1001</n:distributorCreditID>", b""),
        "missing:distributorCreditID",
        "",
    ),
    ("blank key", GOOD.replace(b"C-1001", b"   "), "missing:distributorCreditID", ""),
    ("long key", GOOD.replace(b"C-1001", b"C" * 31), "too_long:distributorCreditID", "C" * 31),
    ("no state", GOOD.replace(b"<n:state>Active</n:state>", b""), "missing:state", "C-1001"),
    ("empty state", GOOD.replace(b"Active", b""), "missing:state", "C-1001"),
    (
        "two states",
        GOOD.replace(b"<n:state>", b"<n:state>Active</n:state><n:state>"),
        "repeated:state",
        "C-1001",
    ),
    (
        "amount no number",
        GOOD.replace(b"<n:amount>1", b"<n:amount>one"),
        "wrong_type:amount",
        "C-1001",
    ),
    (
        "amount too large",
        GOOD.replace(b"<n:amount>1", b"<n:amount>12345678901"),
        "wrong_type:amount",
        "C-1001",
    ),
    ("no amount", GOOD.replace(b"<n:amount>1</n:amount>", b""), "missing:amount", "C-1001"),
    ("long reference", GOOD.replace(b"LIC-55-1001", b"L" * 31), "too_long:responseID", "C-1001"),
    (
        "elements in a value",
        GOOD.replace(b"Active", b"<n:b>Active</n:b>"),
        "wrong_type:state",
        "C-1001",
    ),
    (
        "endless zeros",
        GOOD.replace(b"<n:amount>1", b"<n:amount>" + b"0" * 9000 + b"1"),
        "too_long:amount",
        "C-1001",
    ),
    (
        "long eck id",
        envelope("prematch_linked").replace(b"<n:eckID>", b"<n:eckID>x"),
        "too_long:eckID",
        "K-3001",
    ),
]
