#!/usr/bin/env python3
"""Fits the weights of the spam filter and writes what src/spam/ knows, and tests/spam/scores.jsonl.

    fit.py            writes both
    fit.py --check    says whether both are what it would write
    fit.py --report   tells how well it does on texts that it did not see: each kind left out in turn, and those set aside
    fit.py --curve    tells how well tables of fewer and of more rows do

The texts are tests/spam/texts/*.jsonl. held_out.jsonl is never fitted on; a test holds the goals to it.

Two logistic regressions with a normal prior (ridge) around the weights of terms.toml, by Newton's method: the one tells pitches from enquiries, the other requests of
a sexual nature from everything else. A class of terms has a weight that all of its terms share, and each term one of its own.

The table has ROWS rows, those of terms.toml that tell most: what counts least is left out and the rest is fitted again, in STEPS.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

import features
from features import SHAPE, Reader

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ROOT / "tests/spam/texts"
HELD_OUT = TEXTS / "held_out.jsonl"
MODEL = ROOT / "src/spam/model.rs"
TERMS = ROOT / "src/spam/terms.txt"
STEMS = ROOT / "src/spam/stems.txt"
SCORES = ROOT / "tests/spam/scores.jsonl"

# So many rows the table has: docs/decisions/0021-a-small-table.md.
ROWS = 800
STEPS = (1600, 1300, 1000, ROWS)

# So many of each class stay in any case: it is a reason that can be told.
OF_EACH_CLASS = 8

UNWANTED = ("sexual", "hint", "medicalsex")
# Classes that count for the other score, too: a stiff neck or a pelvic floor is told from a sexual request, and no seller has one.
# With what they say there before the texts are read.
OF_A_PITCH = {"medicalsex": -60}
OF_AN_ENQUIRY = {"body": -35, "pain": -50, "medical": -100, "life": -10, "booking": 0}
# How far (in log-odds) a weight may stray from what terms.toml says.
STRAY = {"class": 0.5, "term": 0.5, "shape": 0.5, "start": 1.5}
START = {"spam": -1.5, "unwanted": -1.5}
# Signs whose share among our texts says nothing of their share in life.
STEADY = ("ticked", "phone", "question")
# A lost client costs more than a spam: an enquiry counts so many times as much as a pitch.
COST = {"spam": 4.0, "unwanted": 1.0}
# And so much is given back to the start of a score: what leaving out one kind of text after the other shows to be safe.
LEAN = {"spam": 0.1, "unwanted": 0.5}


def texts():
    """The texts to fit on, and those set aside, which are only ever scored."""
    fitted, held_out = [], []
    for path in sorted(TEXTS.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        (held_out if path == HELD_OUT else fitted).extend(rows)
    return fitted, held_out


class Model:
    """The columns of one regression: its start, classes, signs of shape and terms."""

    def __init__(self, target, terms):
        self.target = target
        other = OF_AN_ENQUIRY if target == "unwanted" else OF_A_PITCH
        is_ours = lambda kind: (kind in UNWANTED) == (target == "unwanted")
        prior = {**{kind: weight for kind, weight in terms.prior.items() if is_ours(kind)}, **other}
        self.columns = [("start", target, START[target], STRAY["start"])]
        self.columns += [("class", kind, weight / 100, STRAY["class"]) for kind, weight in prior.items()]
        if target == "spam":
            self.columns += [("shape", sign, prior / 100, 0.05 if sign in STEADY else STRAY["shape"]) for sign, prior in SHAPE.items()]
        self.columns += [("term", term, 0.0, STRAY["term"]) for term, kind in sorted(terms.all().items()) if is_ours(kind)]
        self.at = {(what, name): n for n, (what, name, _, _) in enumerate(self.columns)}
        self.prior = np.array([p for *_, p, _ in self.columns])
        self.stray = np.array([s for *_, s in self.columns])

    def vector(self, read):
        terms, signs = read
        x = np.zeros(len(self.columns))
        x[0] = 1
        for term, kind in terms.items():
            for key in (("class", kind), ("term", term)):
                if key in self.at:
                    x[self.at[key]] += 1
        for sign in signs:
            if ("shape", sign) in self.at:
                x[self.at["shape", sign]] = 1
        return x

    def fit(self, reads, labels):
        x = np.array([self.vector(read) for read in reads])
        # Columns that no text has stay at their prior.
        used = x.any(axis=0)
        a = x[:, used] * self.stray[used]
        offset = x @ self.prior
        y = np.array(labels, dtype=float)
        cost = np.where(y == 1, 1.0, COST[self.target])
        w = np.zeros(a.shape[1])
        for _ in range(100):
            p = 1 / (1 + np.exp(-(offset + a @ w)))
            gradient = a.T @ (cost * (p - y)) + w
            hessian = (a * (cost * p * (1 - p))[:, None]).T @ a + np.eye(len(w))
            step = np.linalg.solve(hessian, gradient)
            w -= step
            if np.abs(step).max() < 1e-10:
                break
        weights = self.prior.copy()
        weights[used] += w * self.stray[used]
        weights[0] += LEAN[self.target]
        self.weights = weights
        return self

    def score(self, read):
        return float(self.vector(read) @ self.weights)


    def weight(self, term, kind):
        return sum(self.weights[self.at[key]] for key in (("class", kind), ("term", term)) if key in self.at)


def fit(rows, reads, terms):
    spam = Model("spam", terms)
    kept = [n for n, row in enumerate(rows) if row["label"] != "unwanted"]
    spam.fit([reads[n] for n in kept], [rows[n]["label"] == "pitch" for n in kept])
    unwanted = Model("unwanted", terms)
    unwanted.fit(reads, [row["label"] == "unwanted" for row in rows])
    return spam, unwanted


def choose(rows, steps):
    """After each step: a reader of the rows that are left, what it reads in the texts, and the models."""
    reader = Reader()
    for size in (None, *steps):
        if size is not None:
            spam, unwanted = models
            seen = Counter(term for terms, _ in reads for term in terms)
            # Rounded, so that the last bits of a machine do not decide.
            tells = {t: round(abs((unwanted if k in UNWANTED else spam).weight(t, k)) * (seen[t] + 0.3) ** 0.35, 3) for t, k in reader.terms.all().items()}
            ranked = sorted(tells, key=lambda term: (-tells[term], term))
            kinds, of_class, first = reader.terms.all(), Counter(), set()
            for term in ranked:
                of_class[kinds[term]] += 1
                if of_class[kinds[term]] <= OF_EACH_CLASS:
                    first.add(term)
            ranked.sort(key=lambda term: term not in first)
            reader = Reader(reader.terms.only(ranked[:size]))
        reads = [reader.read(row) for row in rows]
        models = fit(rows, reads, reader.terms)
        yield reader, reads, models


def marked(models, read):
    """As src/spam/score.rs: at least two pieces of evidence make a pitch."""
    spam, unwanted = models
    terms, signs = read
    weights = [spam.weight(term, kind) for term, kind in terms.items() if kind not in UNWANTED]
    weights += [spam.weights[spam.at["shape", sign]] for sign in signs]
    pieces = 2 if "gibberish" in signs else sum(weight >= 0.495 for weight in weights)
    return (spam.score(read) > 0 and pieces >= 2) or unwanted.score(read) > 0


def tell(title, rows, verdicts):
    groups = {}
    for row, verdict in zip(rows, verdicts):
        groups.setdefault(row["label"], []).append(verdict)
        if row["label"] == "enquiry":
            groups.setdefault("enquiry" + (" with a phrase" if row["kind"].startswith("phrase") else ", ordinary"), []).append(verdict)
    print(title + ": " + "; ".join(f"{name} {sum(v)}/{len(v)} marked ({100 * sum(v) / len(v):.1f} %)" for name, v in sorted(groups.items())))


def report():
    rows, held_out = texts()
    *_, (reader, reads, models) = choose(rows, STEPS)
    tell("fitted on", rows, [marked(models, read) for read in reads])
    # Not which ones: a person who reads them chooses terms by them, and then they are no longer unseen.
    tell("set aside", held_out, [marked(models, reader.read(row)) for row in held_out])
    print("\neach kind left out in turn (the rows of the table were chosen with it)")
    out, verdicts = [], []
    for kind in sorted({row["kind"] for row in rows}):
        rest = [n for n, row in enumerate(rows) if row["kind"] != kind]
        part = [n for n, row in enumerate(rows) if row["kind"] == kind]
        models = fit([rows[n] for n in rest], [reads[n] for n in rest], reader.terms)
        got = [marked(models, reads[n]) for n in part]
        good = sum(v == (rows[n]["label"] != "enquiry") for v, n in zip(got, part))
        print(f"  {kind}: {good}/{len(part)} right")
        for v, n in zip(got, part):
            if v != (rows[n]["label"] != "enquiry"):
                show(rows[n], reads[n], models)
        out += [rows[n] for n in part]
        verdicts += got
    tell("kinds left out", out, verdicts)


def curve():
    rows, held_out = texts()
    for reader, reads, models in choose(rows, (*STEPS, 600, 400, 300, 200, 100)):
        tell(f"{len(reader.terms.all())} rows, set aside", held_out, [marked(models, reader.read(row)) for row in held_out])


def show(row, read, models):
    scores = " ".join(f"{m.target} {m.score(read):.2f}" for m in models)
    parts = []
    for term, kind in read[0].items():
        w = models[kind in UNWANTED].weight(term, kind)
        parts.append(f"{term}[{kind}]{w:+.1f}")
    parts += [f"<{s}>{models[0].weights[models[0].at['shape', s]]:+.1f}" for s in sorted(read[1])]
    print(f"    WRONG {row['label']}/{row['kind']}/{row['language']} {scores}: {row['message'][:130]!r}\n          {' '.join(parts)}")


class Table:
    """The weights as src/spam has them: whole hundredths."""

    def __init__(self, models, terms):
        spam, unwanted = models
        whole = lambda model, *keys: round(100 * sum(model.weights[model.at[key]] for key in keys if key in model.at))
        self.terms = {t: (k, whole(unwanted if k in UNWANTED else spam, ("class", k), ("term", t))) for t, k in terms.all().items()}
        self.shape = {sign: whole(spam, ("shape", sign)) for sign in SHAPE}
        self.start = {model.target: whole(model, ("start", model.target)) for model in models}
        self.of_an_enquiry = {kind: whole(unwanted, ("class", kind)) for kind in terms.classes if kind not in UNWANTED}
        self.of_a_pitch = {kind: whole(spam, ("class", kind)) for kind in OF_A_PITCH}
        self.classes = terms.classes

    def scores(self, read):
        terms, signs = read
        pitch, unwanted = self.start["spam"] + sum(self.shape[sign] for sign in signs), self.start["unwanted"]
        for term, kind in terms.items():
            if kind in UNWANTED:
                unwanted += self.terms[term][1]
                pitch += self.of_a_pitch.get(kind, 0)
            else:
                pitch += self.terms[term][1]
                unwanted += self.of_an_enquiry[kind]
        return pitch, unwanted

    def rows(self, stems):
        """terms.txt or stems.txt: by their bytes, as Rust compares them."""
        chosen = sorted((t.rstrip("*").encode(), k, w) for t, (k, w) in self.terms.items() if t.endswith("*") == stems)
        return "".join(f"{t.decode()}|{k}|{w}\n" for t, k, w in chosen)

    def rust(self):
        """model.rs."""
        def words(items):
            return "".join(f"    {json.dumps(item, ensure_ascii=False)},\n" for item in sorted(items))

        enum = lambda name: "".join(part.capitalize() for part in name.split("_"))
        sign_rows = "".join(f"        Sign::{enum(sign)} => {weight},\n" for sign, weight in self.shape.items())
        body = " | ".join(f"Class::{enum(k)}" for k in self.classes if k in UNWANTED)
        pitch = "".join(f"        Class::{enum(k)} => {w},\n" for k, w in self.of_a_pitch.items())
        enquiry = "".join(f"        Class::{enum(k)} => {w},\n" for k, w in self.of_an_enquiry.items() if w)
        return f'''// generated by tools/spam/fit.py
//! What the spam filter knows, fitted on tests/spam/texts: change those or tools/spam/terms.toml, never this file, terms.txt or
//! stems.txt.
//!
//! Weights are hundredths of log-odds: above zero for a pitch (or, in the unwanted score, for a sexual request).

/// Where a score starts: an enquiry of which nothing is known.
pub(super) const START: i32 = {self.start["spam"]};
/// The same of the unwanted score.
pub(super) const START_UNWANTED: i32 = {self.start["unwanted"]};
/// So many terms of one class count at most.
pub(super) const MOST_OF_A_CLASS: usize = {features.MOST_OF_A_CLASS};

/// What a term speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {{
{"".join(f"    {enum(k)},{chr(10)}" for k in self.classes)}}}

impl Class {{
    pub(super) const COUNT: usize = {len(self.classes)};

    pub(super) fn from_name(name: &str) -> Option<Self> {{
        Some(match name {{
{"".join(f"            {json.dumps(k)} => Self::{enum(k)},{chr(10)}" for k in self.classes)}            _ => return None,
        }})
    }}
}}

/// Whether the terms of this class count for the unwanted score alone.
pub(super) const fn is_unwanted(class: Class) -> bool {{
    matches!(class, {body})
}}

/// What a term of any other class adds to the unwanted score.
pub(super) const fn unwanted_weight(class: Class) -> i32 {{
    match class {{
{enquiry}        _ => 0,
    }}
}}

/// What a term of the unwanted score adds to the other one.
pub(super) const fn pitch_weight(class: Class) -> i32 {{
    match class {{
{pitch}        _ => 0,
    }}
}}

/// The shape of an enquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {{
{"".join(f"    {enum(sign)},{chr(10)}" for sign in self.shape)}}}

pub(super) const fn weight(sign: Sign) -> i32 {{
    match sign {{
{sign_rows}    }}
}}

/// Sites that clients link to: health, the way, the hotel.
pub(super) const EVERYDAY: &[&str] = &[
{words(features.EVERYDAY)}];

/// Providers of mailboxes: a client who writes from there does not own the site.
pub(super) const MAILBOXES: &[&str] = &[
{words(features.FREE)}];

/// What bare names of sites end in.
pub(super) const ENDINGS: &[&str] = &[
{words(features.ENDINGS)}];

/// What a sign-off begins with.
pub(super) const SIGN_OFFS: &[&str] = &[
{words(features.SIGN_OFFS)}];

pub(super) const SYMBOLS: &str = "{features.SYMBOLS}";
pub(super) const MONEY: &str = "{features.MONEY}";

/// Words and phrases in the order of their bytes: term, class, weight.
pub(super) const TERMS: &str = include_str!("terms.txt");

/// Beginnings of words, none of which begins another.
pub(super) const STEMS: &str = include_str!("stems.txt");
'''


def samples(rows, reads, table):
    """Some texts of every kind with their scores, for the test that holds the Rust code to this script."""
    chosen, kinds = [], {}
    for row, read in zip(rows, reads):
        key = (row["label"], row["kind"], row["language"])
        kinds[key] = kinds.get(key, 0) + 1
        if kinds[key] > 3:
            continue
        pitch, unwanted = table.scores(read)
        chosen.append({"name": row["name"], "email": row["email"], "times": row.get("times", ""), "message": row["message"],
                       "ticked": bool(row.get("area") or row.get("cause")), "phone": bool(row.get("phone")), "pitch": pitch, "unwanted": unwanted})
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--check", action="store_true")
    options.add_argument("--report", action="store_true")
    options.add_argument("--curve", action="store_true")
    options = options.parse_args()
    if options.report or options.curve:
        report() if options.report else curve()
        return 0
    rows, _ = texts()
    *_, (reader, reads, models) = choose(rows, STEPS)
    table = Table(models, reader.terms)
    stale = False
    for path, text in ((MODEL, table.rust()), (TERMS, table.rows(stems=False)), (STEMS, table.rows(stems=True)), (SCORES, samples(rows, reads, table))):
        if options.check:
            if not path.exists() or path.read_text("utf-8") != text:
                print(f"{path.relative_to(ROOT)} is not what tools/spam/fit.py writes: run it, and the tests")
                stale = True
        else:
            path.write_text(text, "utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
