"""What the spam filter sees of an enquiry: the same as src/spam/{text,shape,score}.rs, which the test of the samples holds to it."""

import re
import tomllib
import unicodedata
from copy import copy
from pathlib import Path

HERE = Path(__file__).parent
# At most so many terms of one class count.
MOST_OF_A_CLASS = 4
# The most words in one term.
LONGEST = 7

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb'’"
    "\U000e0000-\U000e007f]")
LOOKS = str.maketrans(
    "аαсԁеɡһіιıјкκӏоορрԛѕтτυνԝхχуγ",
    "aacdeghiiijkklooppqsttuvwxxyy")


UNSPACED = [("\u3041", "\u3096"), ("\u30a1", "\u30fa"), ("\u30fc", "\u30fc"), ("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"),
            ("\U00020000", "\U000323af")]


def is_unspaced(c):
    """Chinese and Japanese have no spaces: each character is a word."""
    return any(a <= c <= b for a, b in UNSPACED)


def fold(text):
    """Small letters and digits, one space around each word."""
    out = [" "]
    for c in INVISIBLE.sub("", unicodedata.normalize("NFKD", text)):
        if unicodedata.category(c).startswith("M"):
            continue
        for c in c.lower().translate(LOOKS):
            if c.isalnum():
                if is_unspaced(c) and out[-1] != " ":
                    out.append(" ")
                out.append(c)
                if is_unspaced(c):
                    out.append(" ")
            elif out[-1] != " ":
                out.append(" ")
    if out[-1] != " ":
        out.append(" ")
    return "".join(out)


class Terms:
    """The classes and terms of terms.toml."""

    def __init__(self):
        file = tomllib.loads((HERE / "terms.toml").read_text("utf-8"))
        self.classes = list(file)
        self.prior = {name: row.pop("prior") for name, row in file.items()}
        self.words, self.stems = {}, {}
        for name, row in file.items():
            for terms in row.values():
                for term in re.split(r",\s*", terms.strip()):
                    assert " " not in term or not term.endswith("*"), f"{term}: a stem is one word"
                    place = self.stems if term.endswith("*") else self.words
                    folded = fold(term.rstrip("*")).strip()
                    assert folded and folded not in place, f"{term} stands in {name} and in {place.get(folded)}"
                    place[folded] = name
        for stem in self.stems:
            shorter = [stem[:n] for n in range(1, len(stem)) if stem[:n] in self.stems]
            assert not shorter, f"{shorter}* is enough for {stem}*"
        self.index()

    def index(self):
        """The most words of a term that begins with a word."""
        self.starts = {}
        for term in self.words:
            first, *rest = term.split(" ")
            self.starts[first] = max(self.starts.get(first, 0), len(rest) + 1)
        assert max(self.starts.values()) <= LONGEST, max(self.words, key=lambda t: t.count(" "))

    def all(self):
        """Every term with its class, stems with a star."""
        return {**self.words, **{stem + "*": kind for stem, kind in self.stems.items()}}

    def only(self, terms):
        """The same with these terms alone."""
        less, kept = copy(self), set(terms)
        less.words = {term: kind for term, kind in self.words.items() if term in kept}
        less.stems = {stem: kind for stem, kind in self.stems.items() if stem + "*" in kept}
        less.index()
        return less

    def found(self, folded, only=None):
        """The terms of a folded text, in its order: (term, class)."""
        words = folded.split()
        at = 0
        while at < len(words):
            step = 1
            for n in range(min(self.starts.get(words[at], 0), len(words) - at), 0, -1):
                term = " ".join(words[at:at + n])
                if term in self.words:
                    step = n
                    if only is None or self.words[term] == only:
                        yield term, self.words[term]
                    break
            else:
                for n in range(len(words[at]), 0, -1):
                    stem = words[at][:n]
                    if stem in self.stems:
                        if only is None or self.stems[stem] == only:
                            yield stem + "*", self.stems[stem]
                        break
            at += step


ENDINGS = {"biz", "click", "com", "info", "io", "link", "net", "online", "org", "ru", "shop", "site", "su", "uk", "website", "xyz",
           "example", "ai", "agency", "dev", "app", "cn", "top"}
SECOND = {"co", "com", "org", "net", "ac", "gov", "nhs"}
# What clients link to: health, the way, the hotel.
EVERYDAY = {"nhs.uk", "google.com", "google.co.uk", "goo.gl", "what3words.com", "w3w.co", "wikipedia.org", "booking.com", "airbnb.co.uk", "airbnb.com",
            "treatwell.co.uk", "instagram.com", "facebook.com", "youtube.com", "patient.info", "versusarthritis.org", "gov.uk", "linkedin.com"}
SIGN_OFFS = [fold(t) for t in (
    "regards", "kind regards", "best regards", "warm regards", "warmest regards", "many thanks", "best wishes", "all the best", "best", "thanks", "thank you", "cheers",
    "yours sincerely", "sincerely", "yours faithfully", "kindest regards", "warmly", "sent from my", "get outlook for", "love", "mit freundlichen grüßen", "pozdrawiam", "saludos",
    "cordialement", "cordiali saluti", "с уважением")]
FREE = {"gmail.com", "googlemail.com", "hotmail.com", "hotmail.co.uk", "outlook.com", "live.co.uk", "yahoo.com", "yahoo.co.uk", "icloud.com", "me.com",
        "aol.com", "btinternet.com", "sky.com", "mail.ru", "yandex.ru", "proton.me", "protonmail.com", "example.com"}


def site_of(host):
    labels = host.removeprefix("www.").split(".")
    n = 3 if len(labels) > 2 and labels[-2] in SECOND and len(labels[-1]) == 2 else 2
    return ".".join(labels[-n:])


def sites(text):
    """The web addresses in a text: (site, whether it is more than a bare name)."""
    for word in re.split(r"[\s\"<>()\[\],;|]", unicodedata.normalize("NFKC", text).lower()):
        scheme = word.find("://")
        host = re.split(r"[/?#:]", word[scheme + 3:] if scheme >= 0 else word, maxsplit=1)[0].rstrip(".!:")
        if not host.isascii() or "@" in word.split("/", 1)[0]:
            continue
        if scheme >= 0:
            if any(c.isalnum() for c in host):
                yield site_of(host), True
        elif host.startswith("www."):
            if any(c.isalnum() for c in host[4:]):
                yield site_of(host), True
        elif "." in host and host.rsplit(".", 1)[1] in ENDINGS and len(host.rsplit(".", 1)[0]) > 3 and re.fullmatch(r"[a-z0-9.-]+", host):
            yield site_of(host), "/" in word


def signature(message):
    """Where the signature of a message begins: after the last short line that says goodbye, when only a few lines follow."""
    lines = message.split("\n")
    for at in range(len(lines) - 1, -1, -1):
        folded = fold(lines[at])
        if lines[at].rstrip() == "--" or (folded.count(" ") <= 5 and any(folded.startswith(s) for s in SIGN_OFFS)):
            rest = lines[at + 1:]
            if at > 0 and sum(1 for line in rest if line.strip()) <= 8:
                return sum(len(line) + 1 for line in lines[:at + 1])
            return len(message)
    return len(message)


# The signs of shape, with what each says before the texts are read.
SHAPE = {
    "site": 60, "second_site": 60, "third_site": 60, "bare_site": 25, "signature_site": 10, "address_in_name": 400, "own_site": 90, "markup": 130,
    "capitals": 40, "long": 30, "very_long": 30, "says_nothing_of_the_body": 60, "symbols": 60, "foreign_money": 60, "marks": 20,
    "gibberish": 250, "email_in_text": 40, "ticked": -20, "phone": -20, "question": -10,
}
OF_THE_BODY = ("body", "pain", "medical", "massage", "medicalsex")
SYMBOLS = "✅🚀💰📈🔥👉💵🎁⭐✔➡💋🔞💎⚡"
MONEY = "$€₽¥₿"


class Reader:
    def __init__(self, terms=None):
        self.terms = terms or Terms()

    def read(self, row):
        """Of one enquiry: {term: class} of what counts, {sign of shape}."""
        name, times, message = row["name"], row.get("times", ""), row.get("message", "")
        cut = signature(message)
        body, below = message[:cut], message[cut:]
        counted, terms = {}, {}
        found = [t for text in (times, body) for t in self.terms.found(fold(text))]
        found += self.terms.found(fold(below), only="optout")
        for term, kind in found:
            if term not in terms and counted.get(kind, 0) < MOST_OF_A_CLASS:
                counted[kind] = counted.get(kind, 0) + 1
                terms[term] = kind
        return terms, self.shape(row, name, times, body, below, counted)

    def shape(self, row, name, times, body, below, counted):
        signs = set()
        whole, bare = [], []
        for text in (name, times, body):
            for site, full in sites(text):
                if site in EVERYDAY:
                    continue
                place = whole if full else bare
                if site not in whole and site not in bare:
                    place.append(site)
        for n, sign in enumerate(("site", "second_site", "third_site"), 1):
            if len(whole) >= n:
                signs.add(sign)
        if bare:
            signs.add("bare_site")
        below_sites = [site for site, _ in sites(below) if site not in EVERYDAY]
        if below_sites:
            signs.add("signature_site")
        if any(full for _, full in sites(name)):
            signs.add("address_in_name")
        domain = site_of(row["email"].rsplit("@", 1)[1].lower())
        if domain not in FREE and domain in whole + bare:
            signs.add("own_site")
        if has_markup(name + "\n" + times + "\n" + body + below):
            signs.add("markup")
        letters = [c for c in body if c.isalpha()]
        if len(letters) >= 20 and sum(c.isupper() for c in letters) * 10 > len(letters) * 6:
            signs.add("capitals")
        words = fold(body).count(" ") - 1
        if words > 80:
            signs.add("long")
        if words > 160:
            signs.add("very_long")
        if words >= 15 and not any(counted.get(kind) for kind in OF_THE_BODY) and counted.get("booking", 0) + counted.get("life", 0) < 2:
            signs.add("says_nothing_of_the_body")
        if any(c in SYMBOLS for c in body):
            signs.add("symbols")
        if any(c in MONEY for c in body):
            signs.add("foreign_money")
        if body.count("!") >= 3:
            signs.add("marks")
        if any(gibberish(word) for text in (name, body) for word in text.split()):
            signs.add("gibberish")
        if any(word.find("@") > 0 and word.split("@", 1)[1].find(".") > 0 for word in body.split()):
            signs.add("email_in_text")
        if row.get("area") or row.get("cause"):
            signs.add("ticked")
        if row.get("phone"):
            signs.add("phone")
        if "?" in body or "？" in body or "؟" in body:
            signs.add("question")
        return signs


def gibberish(word):
    """Letters as a program generates them: "XkRTvWqLmNpZ"."""
    if len(word) < 8 or not (word.isascii() and word.isalpha()):
        return False
    turns = sum(a.islower() and b.isupper() for a, b in zip(word, word[1:]))
    return turns >= 3 and re.search("[^aeiouy]{4}", word.lower()) is not None


def has_markup(text):
    lower = text.lower()
    if any(code in lower for code in ("[url", "[/url", "[link", "[img", "{{", "<?", "<!")):
        return True
    return re.search(r"</?[a-z][^>]*>", lower, re.S) is not None
