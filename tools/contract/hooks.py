"""What schemathesis must not play, since it cannot be written on the wire."""

import unicodedata

import schemathesis


def shows(value):
    """Whether anything of a value is left in a form: an empty list is no part at all there, as if it were left out."""
    if isinstance(value, dict):
        value = list(value.values())
    return any(map(shows, value)) if isinstance(value, list) else True


def plain(value):
    """Whether a text is checked as it stands: no schema can say that it is trimmed and normalised first."""
    if isinstance(value, list):
        return all(map(plain, value))
    return not isinstance(value, str) or value == unicodedata.normalize("NFC", value).strip()


def named(name):
    """Whether a part of a form can have this name: it stands in a header, which takes no control characters (RFC 9110, section 5.5)."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)


@schemathesis.hook
def filter_body(context, body):
    # Nor can an object: in a form it is one more text, which a free text takes. JSON loses these few with them;
    # tests/form/malformed_input.rs sends empty lists and objects as JSON itself.
    written = lambda value: shows(value) and plain(value) and not isinstance(value, dict)
    return not isinstance(body, dict) or all(map(written, body.values())) and all(map(named, body))
