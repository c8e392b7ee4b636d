"""Puts the surroundings of real pages around articles, to see what they cost a summary.

    python3 benches/page_around.py PAGES.jsonl ARTICLES.jsonl OUT.jsonl [FIRST]

PAGES.jsonl has flattened pages with labelled lines (`content`, `lines` with `begin`, `end`, `label`), as in
extraction_text; ARTICLES.jsonl has `id`, `text` and whatever else. Of each page what stands before the
first line of its article and what stands behind the last is taken, and each article gets those of the
page whose turn it is, beginning with the page FIRST, 0 unless told. OUT.jsonl has the same records with
`content`, the page, in place of `text`; what else they had is kept, so that the references in them can
be scored.
"""

import json
import sys

# Pages whose labels end long before their article does: what stands behind is half of another article.
MISLABELLED = {"wcxb_dev-1396"}


def surroundings(page):
    """What stands above and below the article of a page."""
    body = [line for line in page["lines"] if line["label"] == "body"]
    return page["content"][:body[0]["begin"]].rstrip(), page["content"][body[-1]["end"]:].lstrip()


def main(pages, articles, out, first="0"):
    with open(pages, encoding="utf-8") as file:
        pages = [json.loads(line) for line in file]
    pages = [page for page in pages if page["id"] not in MISLABELLED]
    around = [surroundings(page) for page in pages if any(line["label"] == "body" for line in page["lines"])]
    with open(articles, encoding="utf-8") as file, open(out, "w", encoding="utf-8") as written:
        for number, line in enumerate(file):
            record = json.loads(line)
            above, below = around[(int(first) + number) % len(around)]
            record["content"] = f"{above}\n{record.pop('text')}\n{below}"
            written.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
