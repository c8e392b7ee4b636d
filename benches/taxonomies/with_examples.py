"""Adds example texts to the topics of a taxonomy, and puts aside texts to try it on.

    python3 benches/taxonomies/with_examples.py TAXONOMY.toml GOLD.jsonl N OUT.json REST.jsonl

GOLD.jsonl has `id`, `title`, `text` and `l1`, the topics' ids, the main one first. Half of its
records, by a hash of their ids, go to REST.jsonl; of the other half each topic gets the first N
whose main topic it is.
"""

import json
import sys
import tomllib
import zlib


def main(taxonomy, gold, count, out, rest):
    with open(taxonomy, "rb") as file:
        taxonomy = tomllib.load(file)
    with open(gold, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    kept = [record for record in records if zlib.crc32(str(record["id"]).encode()) % 2 == 0]
    with open(rest, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in kept)
    for topic in taxonomy["topics"]:
        examples = [r for r in records if r not in kept and r["l1"][:1] == [topic["id"]]]
        topic["examples"] = [f"{r['title']}\n\n{r['text']}".strip() for r in examples[:int(count)]]
    with open(out, "w", encoding="utf-8") as file:
        json.dump(taxonomy, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
