"""The email checks behind `tools/email-test`: takes a folder of .eml files, and fails when one of them misses a bar.

Each tool also gets a bad sample of our own along with the emails. A tool that finds nothing wrong with it has not
looked, and the check fails.
"""

import argparse
import email
import email.policy
import json
import mailbox
import os
import re
import shutil
import subprocess
import sys
from email.utils import parseaddr
from pathlib import Path

BROWSER = Path(os.environ["ENQUIRY_DESK_BROWSER"])
SCREENSHOTS = Path("screenshots/emails")

# The bar for SpamAssassin, and the rules that may fire, each with the reason why it stays.
SPAM_BAR = 1.0
SPAM_RULES = {
    "HTML_MESSAGE": "the email has an HTML part, beside a text part that is as complete",
    "T_FILL_THIS_FORM_SHORT": "the therapist reads each answer under the form's own label",
    "T_FILL_THIS_FORM_FRAUD_PHISH": "the same, with everything filled in",
    "FILL_THIS_FORM": "the same, in the plain email",
    "URI_HEX": "a record to paste names a host that Amazon has made up",
    "URI_NOVOWEL": "the same, when there are many consonants in it",
}
# Not counted: the client's own address is in Reply-To, whatever provider they have.
SPAM_IGNORED = ("FREEMAIL_",)
# A mailbox gets our email from SES; without this line SpamAssassin would not look at the way at all.
RECEIVED = (
    "from a7-11.smtp-out.eu-west-2.amazonses.com (a7-11.smtp-out.eu-west-2.amazonses.com [23.251.234.11])\n"
    "\tby mx.example.net (Postfix) with ESMTPS id {name} for <{to}>; {date}"
)
# The clients of our samples.
CLIENTS = re.compile(rb"\b(sam|zoe\.bronte)@example\.com")
# What SpamAssassin's authors made for such tests.
BAD_EMAIL = b"""From: a@example.com
To: b@example.org
Date: Mon, 23 Nov 2026 10:20:00 +0000
Subject: bad sample

XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X
"""

SIZE = 100_000
LINE = 998
BAD_HTML = "<!DOCTYPE html><html><body><p><table><tr><td><img src=http://127.0.0.1:9/x.png></p></b></body></html>"

failures = []


def fail(email, words):
    failures.append(f"{email}: {words}")
    print(f"  {email}: {words}")


def run(command, **options):
    """Runs a tool; what it prints on stderr is shown when it fails."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, **options)


def check_mime(name, source):
    """Checks the message as a MIME library reads it; returns its HTML part."""
    message = email.message_from_bytes(source, policy=email.policy.default)
    for part in message.walk():
        for defect in part.defects:
            fail(name, f"MIME: {type(defect).__name__} in {part.get_content_type()}")
        for header in part.keys():
            for defect in part[header].defects:
                fail(name, f"MIME: {type(defect).__name__} in {header}")
            if len(part.get_all(header)) > 1:
                fail(name, f"the header {header} is there {len(part.get_all(header))} times")
    for header in ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Return-Path"]:
        if not message[header]:
            fail(name, f"the header {header} is missing")
            return None
    if len(message["From"].addresses) != 1 or not message["From"].addresses[0].display_name:
        fail(name, f"From is not one named address: {message['From']}")
    if len(message["To"].addresses) != 1:
        fail(name, f"To is not one address: {message['To']}")
    if len(message["Subject"]) > 200 or re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", str(message["Subject"])):
        fail(name, "the subject is too long, or has control characters in it")

    sender = message["From"].addresses[0].domain
    back = parseaddr(str(message["Return-Path"]))[1].rpartition("@")[2]
    if back != sender and not back.endswith("." + sender):
        fail(name, f"MAIL FROM ({back}) is not aligned with From ({sender})")

    answers = [message[header] for header in ("Auto-Submitted", "X-Auto-Response-Suppress")]
    is_answer = name.startswith("client_") if "_" in name else answers[0] == "auto-replied"
    if answers != (["auto-replied", "All"] if is_answer else ["auto-generated", "OOF, AutoReply"]):
        fail(name, f"Auto-Submitted and X-Auto-Response-Suppress are {answers}")
    reply_to = message["Reply-To"].addresses if message["Reply-To"] else ()
    if len(reply_to) > 1:
        fail(name, f"Reply-To is not one address: {message['Reply-To']}")
    if is_answer and (not reply_to or reply_to[0].domain == "" or reply_to == message["To"].addresses):
        fail(name, "an answer to the client needs the therapist as Reply-To")
    if name == "therapist_not_to_be_written_to":
        if reply_to:
            fail(name, "a reply would go to an address whose owner did not write")
    elif name.startswith("therapist_") and name != "therapist_bare" and not reply_to:
        fail(name, "a reply would not go to the client")

    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    if text is None or not text.get_content().strip():
        fail(name, "there is no text part")
    if html is not None:
        kinds = [part.get_content_type() for part in message.iter_parts()]
        if message.get_content_type() != "multipart/alternative" or kinds != ["text/plain", "text/html"]:
            fail(name, f"not the two alternatives, text first: {message.get_content_type()} of {kinds}")
    if len(source) > SIZE:
        fail(name, f"{len(source)} bytes, above {SIZE}")
    if (longest := max(map(len, source.splitlines()))) > LINE:
        fail(name, f"a line of {longest} bytes")
    return None if html is None else html.get_content()


def check_html(pages, work):
    """The Nu validator: no errors. What it only warns of is printed."""
    bad = work / "bad" / "bad.html"
    bad.parent.mkdir()
    bad.write_text(BAD_HTML)
    jar = BROWSER / "node_modules/vnu-jar/build/dist/vnu.jar"
    done = run(["java", "-jar", jar, "--format", "json", "--exit-zero-always", bad, *pages.values()])
    try:
        messages = json.loads(done.stderr)["messages"]
    except (ValueError, KeyError):
        sys.exit(f"the Nu validator did not run:\n{done.stderr.decode()}")
    found = {Path(message["url"].removeprefix("file:")).stem for message in messages if message["type"] != "info"}
    if "bad" not in found:
        fail("(bad sample)", "the Nu validator found no error in it")
    for message in messages:
        name = Path(message["url"].removeprefix("file:")).stem
        if name == "bad":
            continue
        words = f"{message['message']} (line {message.get('lastLine')})"
        if message["type"] == "info":
            print(f"  {name}: only a warning: {words}")
        else:
            fail(name, f"Nu: {words}")


def check_browser(pages, work):
    """axe-core in Chromium, each width and scheme, with and without the style sheet; and a screenshot of each."""
    bad = work / "bad" / "bad.html"
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    jobs = {name: str(path) for name, path in pages.items()} | {"bad": str(bad)}
    (work / "jobs.json").write_text(json.dumps({"pages": jobs, "screenshots": str(SCREENSHOTS)}))
    done = run(["node", "tools/emails/look.mjs", work / "jobs.json"])
    if done.returncode != 0:
        sys.exit(f"Chromium did not run:\n{done.stderr.decode()}")
    looks = json.loads(done.stdout)
    if {look["name"] for look in looks} != set(jobs):
        sys.exit("Chromium did not look at every email")
    found = {}
    for look in looks:
        if look["name"] == "bad":
            if not look["violations"] or not look["requests"]:
                fail("(bad sample)", f"axe-core or the browser found nothing wrong with it ({look['how']})")
            continue
        words = [f"axe: {violation}" for violation in look["violations"]]
        words += [f"remote content: {request}" for request in look["requests"]]
        words += [f"wider than the screen: {look['tooWide']} px"] if look["tooWide"] else []
        for word in words:
            found.setdefault((look["name"], word), []).append(look["how"])
    for (name, words), hows in found.items():
        fail(name, f"{words} ({', '.join(hows)})")
    return len(looks) - sum(look["name"] == "bad" for look in looks)


def check_spam(emails, work, strict):
    """SpamAssassin: stock rules, nothing learned, nothing asked over the network.

    If `strict`, each rule that counts against an email needs a reason above. In other emails a visitor may have typed anything.
    """
    if strict:
        # The same emails, as if the client used Gmail: some rules only look at email from such addresses.
        emails = emails | {f"{name}-gmail": CLIENTS.sub(rb"\1@gmail.com", it) for name, it in emails.items()}
    box = mailbox.mbox(work / "emails.mbox")
    for name, source in (emails | {"bad": BAD_EMAIL}).items():
        message = email.message_from_bytes(source)
        received = RECEIVED.format(to=message["To"], date=message["Date"], name=name)
        box.add(f"Received: {received}\n".encode() + source.replace(b"\r\n", b"\n"))
    box.flush()
    home = work / "home"
    home.mkdir()
    done = run(
        ["spamassassin", "--local", "--nocreate-prefs", "--mbox",
         "--cf=use_bayes 0", "--cf=report_safe 0", "--cf=add_header all Scores _TESTSSCORES_", work / "emails.mbox"],
        env=os.environ | {"HOME": str(home)},
    )
    if done.returncode != 0:
        sys.exit(f"SpamAssassin did not run:\n{done.stderr.decode()}")
    (work / "scored.mbox").write_bytes(done.stdout)
    # They come back in an order of its own.
    scored = {}
    for message in mailbox.mbox(work / "scored.mbox"):
        name = re.search(r"with ESMTPS id (\S+) for", message["Received"])[1]
        pairs = re.findall(r"(\w+)=(-?[\d.]+)", message["X-Spam-Scores"])
        scored[name] = {rule: float(score) for rule, score in pairs}
    if set(scored) != {*emails, "bad"}:
        sys.exit(f"SpamAssassin scored {len(scored)} of {len(emails) + 1} messages")
    if scored.pop("bad").get("GTUBE", 0) < 100:
        fail("(bad sample)", "SpamAssassin does not know its own test email")
    fired = {}
    worst = (-99.0, "")
    for name, rules in scored.items():
        counted = {rule: score for rule, score in rules.items() if not rule.startswith(SPAM_IGNORED)}
        total = sum(counted.values())
        worst = max(worst, (total, name))
        if total >= SPAM_BAR:
            fail(name, f"SpamAssassin: {total:.3f}: {counted}")
        for rule, score in counted.items():
            fired.setdefault(rule, [score, []])[1].append(name)
            if strict and score > 0 and rule not in SPAM_RULES:
                fail(name, f"SpamAssassin: {rule} ({score}) fires, and tools/emails/check.py has no reason for it")
    for rule, (score, names) in sorted(fired.items(), key=lambda item: -item[1][0]):
        reason = SPAM_RULES.get(rule, "nothing against us" if score <= 0 else "no reason is known")
        print(f"  {rule} {score:+.3f} in {len(names)} emails: {reason}")
    print(f"  highest score: {worst[0]:.3f} ({worst[1]})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="the .eml files")
    parser.add_argument("--work", type=Path, required=True, help="an empty folder for files in between")
    parser.add_argument("--every", type=Path, help="a folder of snapshots, whose samples must be the emails")
    options = parser.parse_args()
    emails = {path.stem: path.read_bytes() for path in sorted(options.folder.glob("*.eml"))}
    if not emails:
        sys.exit(f"there is no .eml file in {options.folder}")
    if options.every:
        snapshots = "".join(path.read_text() for path in options.every.glob("*.snap"))
        samples = set(re.findall(r"^======== (\w+)$", snapshots, re.MULTILINE))
        if not samples or samples != set(emails):
            sys.exit(f"the emails are not those of the snapshots: {sorted(samples ^ set(emails))}")

    print(f"MIME: {len(emails)} emails")
    pages = {}
    for name, source in emails.items():
        if (html := check_mime(name, source)) is not None:
            pages[name] = options.work / "pages" / f"{name}.html"
            pages[name].parent.mkdir(exist_ok=True)
            pages[name].write_text(html)
    print(f"Nu validator: {len(pages)} HTML parts")
    check_html(pages, options.work)
    print("axe-core in Chromium")
    print(f"  {check_browser(pages, options.work)} looks; screenshots are in {SCREENSHOTS}")
    print("SpamAssassin")
    check_spam(emails, options.work, strict=options.every is not None)
    if failures:
        sys.exit(f"{len(failures)} findings")
    print("no finding")


if __name__ == "__main__":
    main()
