"""The links between pages lead to a file, and to a heading in it."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(page for folder in ("src", "include", "test", "bench", "cmake")
                               for page in (ROOT / folder).rglob("*.md"))]


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class LinksTest(unittest.TestCase):
    def test_each_leads_somewhere(self):
        found = 0
        for page in PAGES:
            for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
                if link.startswith("http"):
                    continue
                found += 1
                file, _, anchor = link.partition("#")
                target = page.parent / file if file else page
                self.assertTrue(target.exists(), f"{page}: {link}")
                if anchor:
                    self.assertIn(anchor, anchors(target), f"{page}: {link}")
        self.assertGreater(found, 50)


if __name__ == "__main__":
    unittest.main()
