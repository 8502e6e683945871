"""The programs on the engine's page do what they say."""

import pathlib
import re
import subprocess
import sys
import unittest

from python_support import LIBRARY

PAGE = pathlib.Path(__file__).parents[2] / "include/packseq/engine/README.md"


class ReadmeTest(unittest.TestCase):
    def test_programs(self):
        program = "".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S))
        program = program.replace("build/python/packseq_torch.so", LIBRARY)
        program += "print(torch.ops.packseq.installed(), list(output.shape), lengths.tolist())\n"
        program += "print(*(one.data.dtype for one in (of_autocast, of_products, of_module)))"
        result = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines(), ["True [3, 5, 256] [3, 5, 1]",
                                                      "torch.bfloat16 torch.float32 torch.bfloat16"])
