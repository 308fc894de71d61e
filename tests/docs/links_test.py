# SPDX-License-Identifier: MIT
# Links between the project's Markdown files lead somewhere, headings included.
import os
import re
import unittest

import blocks

LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
SKIPPED = {".git", "build", "node_modules"}


def pages():
    for directory, folders, files in os.walk(blocks.ROOT):
        folders[:] = [folder for folder in folders if folder not in SKIPPED]
        yield from (os.path.join(directory, name) for name in files if name.endswith(".md"))


def prose(path):
    with open(path, encoding="utf-8") as file:
        return re.sub(r"^```.*?^```$", "", file.read(), flags=re.MULTILINE | re.DOTALL)


def anchors(path):
    """As forges make them: lower case, punctuation dropped, spaces to hyphens."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class LinksTest(unittest.TestCase):
    def test_links(self):
        count = 0
        for page in pages():
            for target in LINK.findall(prose(page)):
                if re.match(r"\w+:", target):
                    continue
                path, _, anchor = target.partition("#")
                path = os.path.join(os.path.dirname(page), path) if path else page
                where = f"{os.path.relpath(page, blocks.ROOT)}: {target}"
                self.assertTrue(os.path.exists(path), where)
                if anchor:
                    self.assertIn(anchor, anchors(path), where)
                count += 1
        self.assertGreater(count, 20, "links are not found any more")

    def test_anchors(self):
        self.assertIn("when-the-outcome-is-unknown", anchors(os.path.join(blocks.ROOT, "docs/errors.md")))


if __name__ == "__main__":
    unittest.main()
