"""The values and patterns that the services allow, as their documentation lists them."""

from __future__ import annotations

from typing import Final

GENDERS: Final = ("M", "F", "U")
HUBS: Final = ("Eduroute", "Kennisnet", "DAF")
PERSON_PRODUCT_STATES: Final = ("Active", "Returned")
PERSON_STATES: Final = ("A", "B")
ROLES: Final = ("Student", "Teacher")
SPECIFICATION_STATES: Final = ("Fault", "Specified")

BRIN_PATTERN: Final = "[0-9a-zA-Z]{4}([0-9]{2})?"

_COUNTRY_CODES: Final = """
    AF AX AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ BM BT BO BQ BA BW BV
    BR IO BN BG BF BI KH CM CA CV KY CF TD CL CN CX CC CO KM CG CD CK CR CI HR CU CW CY CZ DK DJ
    DM DO EC EG SV GQ ER EE ET FK FO FJ FI FR GF PF TF GA GM GE DE GH GI GR GL GD GP GU GT GG GN
    GW GY HT HM VA HN HK HU IS IN ID IR IQ IE IM IL IT JM JP JE JO KZ KE KI KP KR KW KG LA LV LB
    LS LR LY LI LT LU MO MK MG MW MY MV ML MT MH MQ MR MU YT MX FM MD MC MN ME MS MA MZ MM NA NR
    NP NL NC NZ NI NE NG NU NF MP NO OM PK PW PS PA PG PY PE PH PN PL PT PR QA RE RO RU RW BL SH
    KN LC MF PM VC WS SM ST SA SN RS SC SL SG SX SK SI SB SO ZA GS SS ES LK SD SR SJ SZ SE CH SY
    TW TJ TZ TH TL TG TK TO TT TN TR TM TC TV UG UA AE GB US UM UY UZ VU VE VN VG VI WF EH YE ZM
    ZW
"""

COUNTRY_CODES: Final = tuple(_COUNTRY_CODES.split())
"""ISO 3166-1 alpha-2, the 249 codes of the documentation in its order (by English name)."""
