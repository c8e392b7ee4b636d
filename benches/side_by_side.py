#!/usr/bin/env python3
"""The same articles through copydesk and through the tools that people use for the same jobs:
sumy's LexRank and TextRank for summaries, a scikit-learn TF-IDF model for topics, compromise
for names. Prints articles a CPU second and the ratio to copydesk's.

    cargo build --release
    benches/side_by_side.py ARTICLES.jsonl [--articles 300]

ARTICLES.jsonl has a "text" a line. The tools go into target/side-by-side; wants Python with venv,
and npm. One process and one thread each. Of the other tools the loop over the articles alone is
counted, after loading and one article to warm up; of copydesk the whole process with its start,
reading and writing JSON.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
HOME = ROOT / "target" / "side-by-side"
PYTHON = HOME / "venv" / "bin" / "python"
PACKAGES = ["sumy==0.13.0", "scikit-learn==1.9.1"]
COMPROMISE = "compromise@14.17.0"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

NAMES_SCRIPT = """
const nlp = require('compromise')
const texts = require('fs').readFileSync(0, 'utf8').trim().split('\\n').map(line => JSON.parse(line).text)
const names = text => {
  const doc = nlp(text)
  return [doc.people(), doc.organizations(), doc.places()].map(found => found.out('array'))
}
names(texts[0])
const begin = process.cpuUsage()
let found = 0
for (const text of texts) found += names(text).flat().length
const used = process.cpuUsage(begin)
console.error(`${found} names`)
console.log((used.user + used.system) / 1e6)
"""


def install():
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME / "venv"], check=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    if not (HOME / "node_modules" / "compromise").exists():
        subprocess.run(["npm", "install", "--silent", "--no-save", COMPROMISE], cwd=HOME, check=True)


def cpu_seconds(work, texts):
    work(texts[0])
    begin = time.process_time()
    for text in texts:
        work(text)
    return time.process_time() - begin


class Splitter:
    """Sentences and words by plain patterns, which are faster than the tokenizer that sumy would
    download."""

    def to_sentences(self, text):
        return [sentence for sentence in re.split(r"(?<=[.!?])\s+", text) if sentence]

    def to_words(self, sentence):
        return re.findall(r"\w+", sentence)


def summarizer(kind):
    from sumy.nlp.stemmers import Stemmer
    from sumy.parsers.plaintext import PlaintextParser

    summarize, splitter = kind(Stemmer("english")), Splitter()
    return lambda text: summarize(PlaintextParser.from_string(text, splitter).document, 3)


def topic_model(texts):
    """As many labels as IPTC has topics at its first level; what they are does not change the time."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), SGDClassifier(random_state=1))
    model.fit(texts, [place % 17 for place in range(len(texts))])
    return lambda text: model.predict([text])


def python_tools(texts):
    from sumy.summarizers.lex_rank import LexRankSummarizer
    from sumy.summarizers.text_rank import TextRankSummarizer

    return {
        "summary: sumy LexRank": cpu_seconds(summarizer(LexRankSummarizer), texts),
        "summary: sumy TextRank": cpu_seconds(summarizer(TextRankSummarizer), texts),
        "topics: scikit-learn TF-IDF linear": cpu_seconds(topic_model(texts), texts),
    }


def copydesk(binary, articles, features):
    command = [binary, "analyze", "--format", "jsonl", "--jobs", "1", "--extraction", "none"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*command, "--features", features, articles], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name, own, others, count):
    print(f"{name:46}{count / own:10.0f} articles a CPU second")
    for other, seconds in others.items():
        print(f"    {other:42}{count / seconds:10.1f}    copydesk is {seconds / own:.0f} times as fast")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--articles", type=int, default=300)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "release" / "copydesk")
    parser.add_argument("--tools", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()

    texts = []
    with options.file.open() as lines:
        for line in lines:
            text = json.loads(line)["text"]
            if text.strip() and len(texts) < options.articles:
                texts.append(text)
    if options.tools:
        print(json.dumps(python_tools(texts)))
        return

    HOME.mkdir(parents=True, exist_ok=True)
    install()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as articles:
        for number, text in enumerate(texts):
            print(json.dumps({"id": str(number), "text": text}), file=articles)
        articles.flush()
        environment = os.environ | ONE_THREAD
        tools = subprocess.run(
            [PYTHON, __file__, articles.name, "--articles", str(len(texts)), "--tools"],
            check=True, env=environment, stdout=subprocess.PIPE,
        )
        with open(articles.name) as source:
            names = subprocess.run(
                ["node", "-e", NAMES_SCRIPT], check=True, cwd=HOME, stdin=source, stdout=subprocess.PIPE,
            )
        others = json.loads(tools.stdout)
        words = sum(len(text.split()) for text in texts)
        print(f"{len(texts)} articles, {words / len(texts):.0f} words on average")
        for name, feature in [("copydesk summary, with the entities it needs", "summary"), ("copydesk topics", "topics")]:
            of_job = {other: seconds for other, seconds in others.items() if other.startswith(feature)}
            compare(name, copydesk(options.binary, articles.name, feature), of_job, len(texts))
        own = copydesk(options.binary, articles.name, "entities")
        compare("copydesk entities", own, {"names: compromise": float(names.stdout)}, len(texts))
        everything = others | {"names: compromise": float(names.stdout)}
        del everything["summary: sumy TextRank"]
        own = copydesk(options.binary, articles.name, "all")
        compare("copydesk, every feature", own, {"LexRank, TF-IDF and compromise": sum(everything.values())}, len(texts))


if __name__ == "__main__":
    main()
