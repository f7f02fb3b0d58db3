"""Writes the OpenAPI document with what no schema can say narrowed to what is surely taken.

Everything that the narrowed document allows has to be accepted; the document itself is true of any practice and leaves
more open: which treatments there are, which telephone numbers are possible, which domains look like a typo.
"""

import json
import sys
import tomllib

document, practice = sys.argv[1:]
with open(document, encoding="utf-8") as file:
    api = json.load(file)
with open(practice, "rb") as file:
    practice = tomllib.load(file)

taken = {
    "email": ["zoe@example.com", "Z.O'Brien+tag@sub.example.co.uk", "a@b.example"],
    # A call or a text message needs a number, so that there always is one.
    # Each takes text messages, which the form may ask for beside it.
    "phone": ["07700 900982", "(07700) 900 123 (mobile)", "+44 7700 900982", "+33 6 99 00 12 34"],
    "treatment": ["", *(treatment["key"] for treatment in practice["treatment"])],
    "consent_version": ["", practice["consent"]["version"]],
}
for name in ("Form", "PostedForm"):
    form = api["components"]["schemas"][name]
    form["required"].append("phone")
    for field, values in taken.items():
        form["properties"][field] = {"type": "string", "enum": values}
for media in api["paths"]["/enquiries"]["post"]["requestBody"]["content"].values():
    media["examples"] = {"complete": media["examples"]["complete"]}
json.dump(api, sys.stdout)
