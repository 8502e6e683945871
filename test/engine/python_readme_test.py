"""The program on the engine's page does what it says."""

import pathlib
import re
import subprocess
import sys
import unittest

from python_support import LIBRARY

PAGE = pathlib.Path(__file__).parents[2] / "include/packseq/engine/README.md"


class ReadmeTest(unittest.TestCase):
    def test_program(self):
        program = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[1]
        program = program.replace("build/python/packseq_torch.so", LIBRARY)
        program += "print(torch.ops.packseq.installed(), list(output.shape), lengths.tolist())"
        result = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
        self.assertEqual((result.stdout, result.returncode), ("True [3, 5, 256] [3, 5, 1]\n", 0), result.stderr)
